"""What is fed to a network and does not fit: named errors, exit code 2, and nothing half-written."""

import json
import os
import struct
import tracemalloc
import warnings
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


def test_an_npy_with_sizes_below_zero(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    lying_npy(tmp_path / "x.npy", (-8, -2))
    message = refused(cli, "run", spec, "--input", str(tmp_path / "x.npy"))
    assert "says it has the shape (-8, -2), with a negative size" in message


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
        (["--mean", "a,b", "--input", "cat.png"], "'a,b' is no number, nor numbers with commas"),
        (["--std", "0", "--input", "cat.png"], "a standard deviation is above 0"),
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


def zipped(path: Path, entries: list[tuple[str, np.ndarray]]) -> str:
    """An `.npz` with these entries, which may bear one name twice."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of names that come twice
        for name, array in entries:
            with archive.open(name, "w") as file:
                np.lib.format.write_array(file, array)
    return str(path)


@pytest.mark.parametrize("twin", ["conv1.weight", "conv1.weight.npy"])
def test_weights_that_come_twice(cli: Callable[..., object], spec: str, tmp_path: Path, twin: str) -> None:
    """One was checked and the other read: a scalar in every weight, or the real part of complex numbers."""
    entries = [(f"{name}.npy", array) for name, array in weights().items()]
    path = zipped(tmp_path / "w.npz", [*entries, (twin, np.array(3 + 4j))])
    message = refused(cli, "run", spec, "--weights", path)
    assert f"conv1.weight is in it twice, as conv1.weight.npy and {twin}" in message
    path = zipped(tmp_path / "x.npz", [("input", np.zeros((1, 3, 8, 8))), ("input.npy", np.zeros((3, 8, 8)))])
    assert "input is in it twice" in refused(cli, "run", spec, "--input", path)


def test_safetensors_that_come_twice(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    one = json.dumps(entry((4,), 0, 16))
    text = f'{{"conv1.bias": {one}, "conv1.bias": {one}}}'.encode()
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 16)
    assert "conv1.bias is in it twice" in refused(
        cli, "run", spec, "--weights", str(tmp_path / "w.safetensors")
    )


def test_complex_weights(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **weights(conv1__bias=np.ones(4, complex)))  # type: ignore[arg-type]
    message = refused(cli, "run", spec, "--weights", str(tmp_path / "w.npz"))
    assert "conv1.bias holds complex128, not numbers" in message
    with pytest.raises(ExecutionError, match=r"conv1\.bias holds complex128, not numbers"):
        Network(graph_of(NET)).load(weights(conv1__bias=np.ones(4, complex)))


@pytest.mark.parametrize("name", ["big", "input"])
def test_an_array_is_not_inflated_before_it_is_refused(
    cli: Callable[..., object], spec: str, tmp_path: Path, name: str
) -> None:
    """2.4 GB of zeros in 2.4 MB: under an unknown name, and under the input's."""
    path = tmp_path / "x.npz"
    header = {"descr": "<f4", "fortran_order": False, "shape": (600, 1_000_000)}
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{name}.npy", "w", force_zip64=True) as file,
    ):
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(2400):
            file.write(bytes(1_000_000))
    tracemalloc.start()
    message = refused(cli, "run", spec, "--input", str(path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ("holds 'big'" if name == "big" else "not 600x1000000") in message
    assert most < 200_000_000  # mostly modules


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:200] + bytes(40) + data[240:],
        lambda data: data.replace(b"'<f4'", b"'<c8'", 1),
        lambda data: data.replace(b"(4, 3, 3, 3)", b"(4, 3, 3, 1)", 1),
        lambda data: data.replace(b"(4, 3, 3, 3)", b"(4,-3,-3, 3)", 1),
        lambda data: data.replace(b"'descr': '<f4'", b"'descr': '(((('", 1),
        lambda data: data.replace(b"'fortran_order'", b"'fortran ord$!", 1),
    ],
)
def test_an_npz_with_damage_inside(
    cli: Callable[..., object], spec: str, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "w.npz"
    np.savez(path, **weights())  # type: ignore[arg-type]
    before = path.read_bytes()
    path.write_bytes(damage(before))
    assert path.read_bytes() != before
    assert "w.npz" in refused(cli, "run", spec, "--weights", str(path))


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("damage", [None, 60, 75])
@pytest.mark.parametrize("option", ["--weights", "--input"])
def test_an_npz_that_is_kept_in_a_way_numpy_never_writes(
    cli: Callable[..., object], spec: str, tmp_path: Path, compression: int, damage: int | None, option: str
) -> None:
    path = tmp_path / "w.npz"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, array in weights().items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array)
    if damage is not None:
        content = bytearray(path.read_bytes())
        content[damage] ^= 0xFF
        path.write_bytes(content)
    assert "npy is neither stored nor deflated" in refused(cli, "run", spec, option, str(path))


def test_an_npy_with_more_than_its_array(cli: Callable[..., object], spec: str, tmp_path: Path) -> None:
    with (tmp_path / "x.npy").open("wb") as file:
        for _ in range(2):
            np.save(file, np.zeros((1, 3, 8, 8)))
    assert "says it holds 1,536 bytes, there are" in refused(
        cli, "run", spec, "--input", str(tmp_path / "x.npy")
    )


@pytest.mark.parametrize("option", ["--input", "--weights"])
@pytest.mark.parametrize("ending", ["npy", "npz", "safetensors", "png"])
def test_pipes_and_directories_are_no_files(
    cli: Callable[..., object], spec: str, tmp_path: Path, option: str, ending: str
) -> None:
    os.mkfifo(tmp_path / f"pipe.{ending}")
    (tmp_path / f"directory.{ending}").mkdir()
    for name in ("pipe", "directory"):
        message = refused(cli, "run", spec, option, str(tmp_path / f"{name}.{ending}"))
        assert (
            "it is not a regular file" in message or "does not end in" in message or "is neither" in message
        )


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_numbers_that_the_type_does_not_hold(
    cli: Callable[..., object], spec: str, tmp_path: Path, dtype: str
) -> None:
    """1e300 became infinite, with a warning of NumPy's."""
    np.savez(tmp_path / "w.npz", **weights(conv1__bias=np.array([0, 1e300, 0, np.inf])))  # type: ignore[arg-type]
    np.save(tmp_path / "x.npy", np.full((1, 3, 8, 8), -1e300))
    np.save(tmp_path / "dy.npy", np.full((1, 4, 6, 5), 1e300))
    run = ("run", spec, "--dtype", dtype)
    assert f"conv1.bias holds 1e+300, {dtype} no more than" in refused(
        cli, *run, "--weights", str(tmp_path / "w.npz")
    )
    assert "the input input holds -1e+300" in refused(cli, *run, "--input", str(tmp_path / "x.npy"))
    assert "the upstream gradient of linear1 holds 1e+300" in refused(
        cli, *run, "--backward", "--upstream", str(tmp_path / "dy.npy")
    )
    assert cli("run", spec, "--dtype", "float64", "--weights", str(tmp_path / "w.npz")).code == 0  # type: ignore[attr-defined]


TWO = """
name: two
inputs: {a: [4], b: [4]}
layers: [{add: {from: [a, b]}}]
"""


def test_no_random_numbers_under_the_name_of_a_file(cli: Callable[..., object], tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(TWO)
    spec, files = str(tmp_path / "two.yaml"), {}
    for name, arrays in {
        "none": {},
        "a": {"a": np.zeros((3, 4))},
        "both": {"a": np.zeros(4), "b": np.zeros(4)},
    }.items():
        files[name] = str(tmp_path / f"{name}.npz")
        np.savez(files[name], **arrays)  # type: ignore[arg-type]
    np.save(tmp_path / "x.npy", np.zeros(4))
    npy = f"a={tmp_path / 'x.npy'}"
    assert "none.npz holds no arrays" in refused(cli, "run", spec, "--input", files["none"])
    assert "holds 'b', which is not the input a" in refused(cli, "run", spec, "--input", f"a={files['both']}")
    assert "the input a is given twice, the second time by" in refused(
        cli, "run", spec, "--input", npy, "--input", npy
    )
    assert "the input a is given twice, by a file and as random" in refused(
        cli, "run", spec, "--input", npy, "--input", "a=random"
    )
    assert "two has no input 'c'" in refused(cli, "run", spec, "--input", "c=random")
    result = cli("run", spec, "--input", files["a"])
    assert "on a.npz, random b" in result.out  # type: ignore[attr-defined]
    (tmp_path / "empty.txt").write_text("\n")
    message = refused(cli, "run", spec, "--labels", str(tmp_path / "empty.txt"))
    assert "names" in message  # a long path may break the line


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
    assert "does not end in .npz" in refused(cli, "run", spec, "-o", str(tmp_path / "o.txt"))


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
