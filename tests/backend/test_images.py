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


def png(channels: int, transparent: bytes = b"") -> bytes:
    """30000 of 65535 everywhere, in 16 bits, which Pillow writes in grey alone."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + np.full((8, channels), 30000, ">u2").tobytes() for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 16, {1: 0, 3: 2}[channels], 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    if transparent:
        parts.insert(1, (b"tRNS", transparent))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff(bits: int, sample_format: int, channels: int, planes: int = 1) -> bytes:
    """Zeros, in a TIFF that Pillow does not write; `planes` is 2 where each colour stands apart."""
    data = bytes(8 * 8 * channels * bits // 8)
    size = len(data) // (channels if planes == 2 else 1)
    tags: list[tuple[int, int, list[int]]] = [
        (256, 3, [8]), (257, 3, [8]), (258, 3, [bits] * channels), (259, 3, [1]), (262, 3, [2 if channels == 3 else 1]),
        (273, 4, [1000 + number * size for number in range(len(data) // size)]), (277, 3, [channels]), (278, 3, [8]),
        (279, 4, [size] * (len(data) // size)), (284, 3, [planes]), (339, 3, [sample_format] * channels),
    ]  # fmt: skip
    head, more = struct.pack("<2sHIH", b"II", 42, 8, len(tags)), b""
    for tag, kind, values in tags:
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            packed, more = struct.pack("<I", 500 + len(more)), more + packed
        head += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return (head.ljust(500, b"\0") + more).ljust(1000, b"\0") + data


def colours(maximum: int, plain: bool = False) -> bytes:
    numbers = [maximum // 2] * (8 * 8 * 3)
    if plain:
        return b"P3 8 8 %d\n" % maximum + " ".join(map(str, numbers)).encode()
    return b"P6 8 8 %d\n" % maximum + np.array(numbers, ">u2" if maximum > 255 else "u1").tobytes()


def bmp(bits: int) -> bytes:
    """White in 5-5-5 or 5-6-5 bits, which Pillow does not write."""
    masks = (
        struct.pack("<III", 0xF800, 0x07E0, 0x001F)
        if bits == 16
        else struct.pack("<III", 0x7C00, 0x03E0, 0x001F)
    )
    header = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 16, 3, 128, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 66 + 128, 0, 0, 66) + header + masks + b"\xff" * 128


DEEP_COLOURS = "it has 16 bits a colour, of which Pillow reads 8"


@pytest.mark.parametrize(
    ("content", "ending", "reason"),
    [
        (png(3), "png", DEEP_COLOURS),
        (colours(65535), "ppm", DEEP_COLOURS),
        (colours(1023), "ppm", DEEP_COLOURS),
        (colours(65535, plain=True), "ppm", DEEP_COLOURS),
        (tiff(16, 1, 3), "tif", DEEP_COLOURS),
        (tiff(16, 1, 3, planes=2), "tif", DEEP_COLOURS),
        (tiff(8, 2, 1), "tif", "it has signed numbers"),
        (tiff(16, 2, 1), "tif", "it has 32-bit or signed numbers"),
        (png(1, struct.pack(">H", 30000)), "png", "it is transparent in places"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n", "png", "it is none of PNG"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_pillow_would_read_otherwise_is_refused(
    tmp_path: Path, content: bytes, ending: str, reason: str
) -> None:
    (tmp_path / f"x.{ending}").write_bytes(content)
    with pytest.raises(ExecutionError, match=reason):
        read(tmp_path / f"x.{ending}", COLOUR)


@pytest.mark.parametrize(
    ("content", "ending", "value"),
    [
        (png(1), "png", 30000 / 65535),
        (png(1, struct.pack(">H", 29999)), "png", 30000 / 65535),
        (colours(255), "ppm", 127 / 255),
        (colours(255, plain=True), "ppm", 127 / 255),
        (colours(51), "ppm", 25 / 51),
        (tiff(8, 1, 3), "tif", 0),
        (tiff(8, 1, 3, planes=2), "tif", 0),
        (tiff(16, 1, 1), "tif", 0),
        (bmp(16), "bmp", 1),
        (bmp(15), "bmp", 1),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_what_pillow_reads_as_it_is(tmp_path: Path, content: bytes, ending: str, value: float) -> None:
    (tmp_path / f"x.{ending}").write_bytes(content)
    found = read(tmp_path / f"x.{ending}", COLOUR)
    np.testing.assert_allclose(found, np.full(COLOUR, value), rtol=1e-6)


@pytest.mark.parametrize(
    ("picture", "ending", "reason"),
    [
        (Image.fromarray(np.full((8, 8), 25.0, np.float32)), "tif", "not all from 0, black, to 1, white"),
        (Image.fromarray(np.full((8, 8), np.nan, np.float32)), "tif", "not all from 0, black, to 1, white"),
        (Image.fromarray(np.full((8, 8), 25, np.int32)), "tif", "it has 32-bit or signed numbers"),
        (Image.new("RGBA", (8, 8), (10, 20, 30, 128)), "png", "it is transparent in places"),
        (Image.new("LA", (8, 8), (10, 0)), "png", "it is transparent in places"),
    ],
    ids=["bright floats", "NaN", "32 bits", "transparent", "transparent grey"],
)
def test_what_has_no_known_range_or_is_seen_through_is_refused(
    tmp_path: Path, picture: Image.Image, ending: str, reason: str
) -> None:
    path = tmp_path / f"x.{ending}"
    picture.save(path)
    with pytest.raises(ExecutionError, match=reason):
        read(path, COLOUR)


@pytest.mark.parametrize("resize", [30_000, 2_000_000_000, 10**18])
def test_a_size_beyond_all_memory_is_refused(tmp_path: Path, resize: int) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "x.png")
    with pytest.raises(ExecutionError, match=f"would be resized to {resize} x {resize}"):
        read_image(tmp_path / "x.png", GREY, Preprocess(resize))
