"""Pictures become inputs as torchvision makes them."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from netcalc.backend.images import read_image
from netcalc.diagnostics import ExecutionError
from netcalc.graph import Preprocess

from helpers import TESTS, graph_of

CASES = json.loads((TESTS / "golden" / "pictures.json").read_text())


def picture(width: int, height: int) -> Image.Image:
    """The picture that tests/golden/make_pictures.py draws."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127.5 + 127.5 * np.sin(x / (3 + c) + y / (5 - c)) for c in range(3)]
    return Image.fromarray(np.stack(waves, -1).astype(np.uint8))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['picture']}-{case['resize']}-{case['crop']}")
def test_resize_crop_and_normalise_as_torchvision(case: dict[str, Any], tmp_path: Path) -> None:
    picture(*case["picture"]).save(tmp_path / "x.png")
    preprocess = Preprocess(case["resize"], tuple(case["mean"]), tuple(case["std"]))
    array = read_image(tmp_path / "x.png", (3, *case["crop"]), preprocess)
    assert list(array.shape) == case["shape"]
    np.testing.assert_allclose(array.ravel()[::37], case["pixels"], atol=2e-6)


def test_grey_where_the_input_has_one_channel(tmp_path: Path) -> None:
    Image.new("RGB", (5, 5), (255, 255, 255)).save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png", (1, 4, 4), Preprocess()).tolist() == np.ones((1, 4, 4)).tolist()


def test_preprocess_of_a_spec() -> None:
    graph = graph_of("input: [3, 8, 8]\npreprocess: {resize: 9, mean: 0.5, std: [1, 2, 3]}\nlayers: [relu]\n")
    assert graph.preprocess == Preprocess(9, (0.5,), (1.0, 2.0, 3.0))


# what pictures hold beside 8 bits of grey or of three colours

GREY = (1, 8, 8)
COLOUR = (3, 8, 8)
DEEP = np.full((8, 8), 30000, np.uint16)
TURNED = Image.Exif()
TURNED[0x0112] = 6
STRIPE = np.zeros((8, 8), np.uint8)
STRIPE[0] = 255


def read(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    return read_image(path, shape, Preprocess(None, (0.0,), (1.0,)))


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_sixteen_bits_go_to_65535(tmp_path: Path, ending: str, shape: tuple[int, ...]) -> None:
    path = tmp_path / f"x.{ending}"
    if ending == "pgm":
        path.write_bytes(b"P5 8 8 65535\n" + DEEP.astype(">u2").tobytes())
    else:
        Image.fromarray(DEEP).save(path)
    np.testing.assert_allclose(read(path, shape), np.full(shape, 30000 / 65535), rtol=1e-6)


def test_floats_from_0_to_1_are_taken_as_they_are(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 0.25, np.float32)).save(tmp_path / "x.tif")
    assert read(tmp_path / "x.tif", COLOUR).tolist() == np.full(COLOUR, 0.25).tolist()


@pytest.mark.parametrize(
    ("picture", "ending", "colour"),
    [
        (Image.new("1", (8, 8), 1), "png", (1, 1, 1)),
        (Image.new("RGB", (8, 8), (255, 0, 0)).quantize(4), "png", (1, 0, 0)),
        (Image.new("RGB", (8, 8), (255, 0, 0)).quantize(4), "gif", (1, 0, 0)),
        (Image.new("RGBA", (8, 8), (0, 255, 0, 255)), "png", (0, 1, 0)),
        (Image.new("LA", (8, 8), (255, 255)), "png", (1, 1, 1)),
        (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "tif", (1, 0, 0)),
        (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "jpg", (1, 0, 0)),
        (Image.new("RGBA", (8, 8), (0, 0, 255, 255)), "tif", (0, 0, 1)),
    ],
    ids=lambda value: f"{value.mode}" if isinstance(value, Image.Image) else str(value),
)
def test_other_modes_have_their_colours(
    tmp_path: Path, picture: Image.Image, ending: str, colour: tuple[float, ...]
) -> None:
    picture.save(tmp_path / f"x.{ending}")
    np.testing.assert_allclose(read(tmp_path / f"x.{ending}", COLOUR)[:, 4, 4], colour, atol=0.01)


@pytest.mark.parametrize("pixels", [STRIPE, STRIPE.astype(np.uint16) * 257], ids=["8 bits", "16 bits"])
def test_a_picture_is_turned_upright(tmp_path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(tmp_path / "x.png", exif=TURNED)
    upright = read(tmp_path / "x.png", GREY)[0]
    assert upright[:, 7].tolist() == [1.0] * 8  # its top is on the right
    assert not upright[:, :7].any()


def deep_png(path: Path) -> None:
    """16 bits a colour, which Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + np.full((8, 3), 30000, ">u2").tobytes() for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


@pytest.mark.parametrize(
    ("picture", "ending", "reason"),
    [
        (Image.fromarray(np.full((8, 8), 25.0, np.float32)), "tif", "not all from 0, black, to 1, white"),
        (Image.fromarray(np.full((8, 8), np.nan, np.float32)), "tif", "not all from 0, black, to 1, white"),
        (Image.fromarray(np.full((8, 8), 25, np.int32)), "tif", "it has 32-bit or signed numbers"),
        (Image.new("RGBA", (8, 8), (10, 20, 30, 128)), "png", "it is transparent in places"),
        (Image.new("LA", (8, 8), (10, 0)), "png", "it is transparent in places"),
        (None, "png", "it has 16 bits a colour, of which Pillow reads 8"),
    ],
    ids=["bright floats", "NaN", "32 bits", "transparent", "transparent grey", "16 bits a colour"],
)
def test_what_has_no_known_range_or_is_seen_through_is_refused(
    tmp_path: Path, picture: Image.Image | None, ending: str, reason: str
) -> None:
    path = tmp_path / f"x.{ending}"
    if picture is None:
        deep_png(path)
    else:
        picture.save(path)
    with pytest.raises(ExecutionError, match=reason):
        read(path, COLOUR)


@pytest.mark.parametrize("resize", [30_000, 2_000_000_000, 10**18])
def test_a_size_beyond_all_memory_is_refused(tmp_path: Path, resize: int) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "x.png")
    with pytest.raises(ExecutionError, match=f"would be resized to {resize} x {resize}"):
        read_image(tmp_path / "x.png", GREY, Preprocess(resize))
