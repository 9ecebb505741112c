"""What is fed to a network and does not fit: named errors, exit code 2, and nothing half-written."""

import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netcalc.backend import Network
from netcalc.diagnostics import ExecutionError

from helpers import graph_of

NET = """
name: small
input: [3, 8, 8]
layers:
  - conv: {filters: 4, kernel: 3}
  - linear: {units: 5}
"""
SHAPES = {"conv1.weight": (4, 3, 3, 3), "conv1.bias": (4,), "linear1.weight": (5, 6), "linear1.bias": (5,)}


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(NET)
    return str(path)


def weights(**changed: np.ndarray) -> dict[str, np.ndarray]:
    arrays = {name: np.ones(shape, np.float32) for name, shape in SHAPES.items()}
    return arrays | {name.replace("__", "."): array for name, array in changed.items()}


def refused(cli: Callable[..., object], *arguments: str) -> str:
    """The message of a command that must end with exit code 2, a code of its own and no traceback."""
    result = cli(*arguments)
    assert result.code == 2, result  # type: ignore[attr-defined]
    assert "Traceback" not in result.err  # type: ignore[attr-defined]
    return " ".join(result.err.split())  # type: ignore[attr-defined]


# what goes in


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((1, 8, 8)), "the input input is N x 3x8x8, the batch in front, not 1x8x8"),
        (np.zeros((1, 3, 8, 9)), "the input input is N x 3x8x8, the batch in front, not 1x3x8x9"),
        (np.zeros((1, 1, 3, 8, 8)), "not 1x1x3x8x8"),
        (np.zeros((0, 3, 8, 8)), "the input input has a batch of 0"),
        (np.zeros((1, 3, 8, 8), complex), "the input input holds complex128, not numbers"),
        (np.full((1, 3, 8, 8), "a"), "the input input holds <U1, not numbers"),
        (np.array(3.0), "not scalar"),
    ],
)
def test_arrays_that_do_not_fit(
    cli: Callable[..., object], spec: str, tmp_path: Path, array: np.ndarray, message: str
) -> None:
    np.save(tmp_path / "x.npy", array)
    assert message in refused(cli, "run", spec, "--input", str(tmp_path / "x.npy"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a sound array file"),
        (b"not an array", "is not a sound array file: the magic string is not correct"),
        (b"\x93NUMPY\x01\x00\xff\xff{", "is not a sound array file"),
        (b"\x93NUMPY\x09\x00\x10\x00" + b" " * 16, "version (9, 0) of the npy format"),
    ],
)
def test_broken_npy(
    cli: Callable[..., object], spec: str, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    assert message in refused(cli, "run", spec, "--input", str(tmp_path / "x.npy"))


def lying_npy(path: Path, shape: tuple[int, ...]) -> None:
    """An array file that says it holds far more than it does."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        file.write(b"\0" * 64)


def test_an_npy_that_says_it_holds_a_petabyte(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    lying_npy(tmp_path / "x.npy", (1, 3, 2**40, 2**10))
    assert "says it holds 13,510,798,882,111,488 bytes" in refused(
        cli, "run", spec, "--input", str(tmp_path / "x.npy")
    )


def test_pickles_are_not_opened(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    np.save(tmp_path / "x.npy", np.array([Bomb()]), allow_pickle=True)
    np.savez(tmp_path / "w.npz", **(weights() | {"conv1.bias": np.array([Bomb()], object)}))  # type: ignore[arg-type]
    assert "holds pickled objects" in refused(cli, "run", spec, "--input", str(tmp_path / "x.npy"))
    assert "holds pickled objects" in refused(cli, "run", spec, "--weights", str(tmp_path / "w.npz"))
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "nowhere.npy"], "there is no array file nowhere.npy"),
        (["--input", "nowhere.png"], "there is no picture nowhere.png"),
        (
            ["--input", "cat.doc"],
            "cat.doc is neither a size such as 3x64x64, nor random, nor a file that ends in",
        ),
        (
            ["--input", "image=random", "--input", "mask=x.npy"],
            "small has no input 'mask'; its inputs are input",
        ),
        (["--input", "3x0x8"], "an input's sizes are whole numbers from 1 up"),
        (["--input", "3x2x2"], "kernel"),
        (["--mean", "a,b"], "'a,b' is no number, nor numbers with commas"),
        (["--std", "0"], "a standard deviation is above 0"),
        (["--labels", "nowhere.txt"], "nowhere.txt cannot be read"),
        (["--weights", "nowhere.npz"], "there is no weight file nowhere.npz"),
        (["--weights", "weights.pt"], "weights.pt does not end in .npz or .safetensors"),
        (["--batch", "1000000", "--input", "3x4000x4000"], "at batch 1000000 need at least"),
        (["--backward", "--upstream", "nowhere.npy"], "there is no array file nowhere.npy"),
    ],
)
def test_options_that_do_not_fit(
    cli: Callable[..., object],
    spec: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 8, 8)))
    assert message in refused(cli, "run", spec, *arguments)


def test_nan_and_inf_are_shown_where_they_begin(
    cli: Callable[..., object], spec: str, tmp_path: Path
) -> None:
    x = np.zeros((1, 3, 8, 8))
    x[0, 0, 0, 0] = np.nan
    np.save(tmp_path / "x.npy", x)
    result = cli("run", spec, "--input", str(tmp_path / "x.npy"), "--trace", "--backward")
    assert result.code == 0  # type: ignore[attr-defined]
    assert "4 NaN" in result.out  # type: ignore[attr-defined]
    broken = weights(linear1__bias=np.array([0, np.inf, 0, -np.inf, 0], np.float32))
    np.savez(tmp_path / "w.npz", **broken)  # type: ignore[arg-type]
    result = cli("run", spec, "--weights", str(tmp_path / "w.npz"), "--trace")
    assert result.code == 0  # type: ignore[attr-defined]
    assert "Inf begins at linear1" in result.out  # type: ignore[attr-defined]


# weights


def test_weights_of_another_network(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    other = {
        "conv1.weight": np.zeros((4, 3, 5, 5)),
        "linear1.weights": np.zeros((5, 6)),
        "conv1.bias": np.zeros(4),
    }
    np.savez(tmp_path / "w.npz", **other)  # type: ignore[arg-type]
    message = refused(cli, "run", spec, "--weights", str(tmp_path / "w.npz"))
    assert "holds the weights of another network" in message
    assert "conv1.weight is 4x3x5x5, the network's 4x3x3x3" in message
    assert "linear1.weight is missing" in message
    assert "linear1.weights is not the network's; it has linear1.weight" in message


def test_a_network_keeps_its_weights_where_others_do_not_fit() -> None:
    network = Network(graph_of(NET))
    before = {name: array.copy() for name, array in network.parameters().items()}
    with pytest.raises(ExecutionError, match=r"E905.*the mapping holds the weights of another network"):
        network.load({"conv1.weight": np.zeros((4, 3, 3, 3))})
    assert all(np.array_equal(array, before[name]) for name, array in network.parameters().items())


def test_what_pytorch_counts_beside_statistics_is_left_out() -> None:
    network = Network(graph_of(NET))
    network.load(weights() | {"bn1.num_batches_tracked": np.array(3)})
    assert network.parameters()["conv1.bias"].tolist() == [1, 1, 1, 1]


def header(entries: dict[str, object], data: bytes = b"") -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape: tuple[int, ...], start: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 10**9) + b"{}",
        struct.pack("<Q", 4) + b"abcd",
        struct.pack("<Q", 2) + b"[]",
        header({"conv1.weight": entry((4, 3, 3, 3), 0, 432)}),
        header({"conv1.weight": entry((4, 3, 3, 3), 0, 10)}, b"\0" * 10),
        header({"conv1.weight": entry((2**40, 2**40), 0, 16)}, b"\0" * 16),
        header({"conv1.weight": entry((4,), -16, 0)}, b"\0" * 16),
        header({"conv1.weight": entry((4,), 0, 16), "conv1.bias": entry((4,), 0, 16)}, b"\0" * 16),
        header({"conv1.weight": {"dtype": "F99", "shape": [4], "data_offsets": [0, 16]}}, b"\0" * 16),
    ],
    ids=["empty", "short", "huge-header", "long-header", "no-json", "list", "truncated", "too-small", "huge-shape",
         "negative", "overlapping", "unknown-dtype"],
)  # fmt: skip
def test_safetensors_that_are_truncated_or_lie(
    cli: Callable[..., object], spec: str, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    assert "w.safetensors is not a sound weight file" in refused(
        cli, "run", spec, "--weights", str(tmp_path / "w.safetensors")
    )


@pytest.mark.parametrize("keep", [0, 10, 100, 500, -1])
def test_an_npz_cut_short(cli: Callable[..., object], spec: str, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "w.npz"
    np.savez(path, **weights())  # type: ignore[arg-type]
    path.write_bytes(path.read_bytes()[:keep])
    assert "w.npz is not a sound weight file" in refused(cli, "run", spec, "--weights", str(path))


def test_an_npz_whose_member_lies(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    lying_npy(tmp_path / "lie.npy", (2**40,))
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        archive.write(tmp_path / "lie.npy", "conv1.weight.npy")
    assert "says it holds" in refused(cli, "run", spec, "--weights", str(tmp_path / "w.npz"))


def test_weights_that_are_words(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **weights(conv1__bias=np.array(["a", "b", "c", "d"])))  # type: ignore[arg-type]
    assert "conv1.bias holds str32, not numbers" in refused(
        cli, "run", spec, "--weights", str(tmp_path / "w.npz")
    )


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_weights_go_out_and_come_back(tmp_path: Path, ending: str) -> None:
    first, second = Network(graph_of(NET), seed=1), Network(graph_of(NET), seed=2)
    first.save(tmp_path / f"w.{ending}")
    second.load(tmp_path / f"w.{ending}")
    for name, array in first.parameters().items():
        assert second.parameters()[name].tobytes() == array.tobytes()


# pictures


def test_an_image_bomb(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    message = refused(cli, "run", spec, "--input", str(tmp_path / "bomb.png"))
    assert "bomb.png cannot be read as a picture" in message
    assert "pixels" in message


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 30])
def test_broken_pictures(cli: Callable[..., object], spec: str, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)
    assert "x.png cannot be read as a picture" in refused(
        cli, "run", spec, "--input", str(tmp_path / "x.png")
    )


def test_a_picture_cut_short(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    assert "x.png cannot be read as a picture" in refused(cli, "run", spec, "--input", str(path))


def test_a_picture_for_an_input_that_is_none(cli: Callable[..., object], tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "x.png")
    (tmp_path / "v.yaml").write_text("input: [12]\nlayers: [{linear: {units: 2}}]\n")
    message = refused(cli, "run", str(tmp_path / "v.yaml"), "--input", str(tmp_path / "x.png"))
    assert "a picture fills an input of 1 or 3 channels, H and W, not 12" in message


# what goes out


def test_output_that_cannot_be_written(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    assert "cannot be written" in refused(cli, "run", spec, "-o", str(tmp_path / "no" / "such" / "o.npz"))
    (tmp_path / "o.npz").mkdir()
    assert "cannot be written" in refused(cli, "run", spec, "-o", str(tmp_path / "o.npz"))
    assert sorted(os.listdir(tmp_path)) == ["o.npz", "small.yaml"]
    assert "does not end in .npz" in refused(cli, "run", spec, "-o", str(tmp_path / "o.csv"))


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(graph_of(NET))
    path = tmp_path / "w.npz"
    network.save(path)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(ExecutionError, match=r"E910.*w\.npz cannot be written: No space left on device"):
        network.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["w.npz"]


def test_a_network_larger_than_the_machine(cli: Callable[..., object], tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text("input: [1000000]\nlayers: [{linear: {units: 1000000000}}]\n")
    message = refused(cli, "run", str(tmp_path / "v.yaml"))
    assert "the parameters of v need at least 3,725,294.0 GiB, this machine has" in message
