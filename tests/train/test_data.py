"""Data sets in every format: the samples that were written are those that are read."""

import gzip
import json
import tarfile
import tracemalloc
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from netcalc.backend import images
from netcalc.diagnostics import ExecutionError
from netcalc.train.data import FORMATS, Reading, open_data
from netcalc.train.data.dataset import ArrayData
from netcalc.train.data.npz import array_of_npy

from data_files import (
    IDX_TYPES,
    OldPickle,
    cifar_pickle,
    cifar_records,
    everything,
    idx_bytes,
    pictures,
    write_classes,
    write_mnist,
)


@pytest.mark.parametrize("compressed", [False, True])
def test_mnist_in_a_folder(tmp_path: Path, compressed: bool) -> None:
    x, y = write_mnist(tmp_path / "mnist", compressed)
    test = write_mnist(tmp_path / "mnist", compressed, "t10k", 10)
    data = open_data(tmp_path / "mnist")
    batch = everything(data)
    np.testing.assert_array_equal(batch.inputs["x"][:, 0], x)
    np.testing.assert_array_equal(batch.labels, y)
    assert (len(data), str(data.fields["x"]), data.classes) == (20, "1x28x28 uint8", tuple("0123456789"))
    np.testing.assert_array_equal(
        everything(open_data(tmp_path / "mnist", reading=Reading("test"))).labels, test[1]
    )
    name = "train-images-idx3-ubyte" + ".gz" * compressed
    alone = open_data(tmp_path / "mnist" / name)
    np.testing.assert_array_equal(everything(alone).inputs["x"], batch.inputs["x"])


@pytest.mark.parametrize("dtype", IDX_TYPES)
def test_every_type_of_idx(tmp_path: Path, dtype: str) -> None:
    x = np.arange(-6, 6).reshape(3, 4).clip(0 if dtype == "u1" else None)
    (tmp_path / "images").write_bytes(idx_bytes(x, dtype))
    (tmp_path / "labels").write_bytes(idx_bytes(np.array([2, 0, 1])))
    batch = open_data(tmp_path / "images").batch(np.array([2, 0]))
    np.testing.assert_array_equal(batch.inputs["x"], x[[2, 0]])
    assert batch.inputs["x"].dtype.isnative


def test_nothing_of_a_mapped_file_is_copied(tmp_path: Path) -> None:
    write_mnist(tmp_path / "mnist")
    x, y = pictures()
    np.savez(tmp_path / "data.npz", x=x, y=y)
    for path in ("mnist", "data.npz"):
        data = open_data(tmp_path / path)
        assert isinstance(data, ArrayData)
        held = data._arrays["x"]
        while isinstance(held.base, np.ndarray):
            held = held.base
        assert isinstance(held, np.memmap)


@pytest.mark.parametrize("layout", ["unaligned", "fortran", "cifar10"])
def test_a_batch_reads_its_own_rows(tmp_path: Path, layout: str) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(4000, 1, 16, 16)).astype(np.float32)
    if layout == "cifar10":
        path = tmp_path / "data_batch_1.bin"
        path.write_bytes(draw.integers(0, 10, (2000, 3073), np.uint8).tobytes())
    else:
        path = tmp_path / "data.npz"
        order: Literal["C", "F"] = "F" if layout == "fortran" else "C"
        np.savez(path, x=np.asarray(x, order=order), y=np.arange(4000) % 10)
    data = open_data(str(path))
    tracemalloc.start()
    data.batch(np.arange(64) * 7)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10**6  # of 4 or 6 MB


@pytest.mark.parametrize("compressed", [False, True])
def test_npz_with_several_inputs(tmp_path: Path, compressed: bool) -> None:
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((6, 3, 4)), np.asfortranarray(rng.standard_normal((6, 5)).astype(">f4"))
    save = np.savez_compressed if compressed else np.savez
    save(tmp_path / "data", left=left, right=right, y=(np.arange(6) % 3).astype(">i4"))
    data = open_data(tmp_path / "data.npz")
    batch = data.batch(np.array([5, 1]))
    np.testing.assert_array_equal(batch.inputs["left"], left[[5, 1]])
    np.testing.assert_array_equal(batch.inputs["right"], right[[5, 1]])
    assert batch.inputs["right"].dtype == np.float32
    assert batch.labels.tolist() == [2, 1]
    assert batch.labels.dtype.isnative


def test_npz_in_two_parts(tmp_path: Path) -> None:
    x, y = pictures()
    np.savez(tmp_path / "d.npz", x_train=x[:15], y_train=y[:15], x_test=x[15:], y_test=y[15:])
    assert len(open_data(tmp_path / "d.npz")) == 15
    test = open_data(tmp_path / "d.npz", reading=Reading("test", shape=(1, 28, 28)))
    np.testing.assert_array_equal(everything(test).inputs["x"][:, 0], x[15:])


def test_labels_that_are_numbers_of_a_regression(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.zeros((3, 2)), y=np.array([[0.5, 1], [2, 3], [4, 5]]))
    data = open_data(tmp_path / "d.npz")
    assert data.classes == ()
    np.testing.assert_array_equal(data.batch(np.array([1])).labels, [[2, 3]])


@pytest.mark.parametrize("form", ["binary", "gzip", "python 2", "2", "3", "4", "5"])
def test_cifar10(tmp_path: Path, form: str) -> None:
    x, y, records = cifar_records()
    content = {"binary": records, "gzip": gzip.compress(records), "python 2": OldPickle(x, y).content}
    path = tmp_path / "batch"
    path.write_bytes(content[form] if form in content else cifar_pickle(x, y, int(form)))
    data = open_data(path)
    batch = everything(data)
    np.testing.assert_array_equal(batch.inputs["x"], x)
    np.testing.assert_array_equal(batch.labels, y)
    assert data.classes[3] == "cat"


@pytest.mark.parametrize("is_python", [False, True])
def test_cifar10_in_a_folder(tmp_path: Path, is_python: bool) -> None:
    x, y, records = cifar_records()
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    for number, name in enumerate(names):
        rolled, labels = np.roll(x, number, 0), np.roll(y, number)
        content = b"".join(bytes([b]) + a.tobytes() for a, b in zip(rolled, labels, strict=True))
        (tmp_path / (name if is_python else f"{name}.bin")).write_bytes(
            OldPickle(rolled, labels).content if is_python else content
        )
    (tmp_path / "readme.html").write_text("<html>")
    (tmp_path / "batches.meta").write_bytes(b"\x80\x02}q\x01.")
    data = open_data(tmp_path)
    assert len(data) == 50
    np.testing.assert_array_equal(data.batch(np.array([12])).inputs["x"][0], np.roll(x, 1, 0)[2])
    test = everything(open_data(tmp_path, reading=Reading("test")))
    np.testing.assert_array_equal(test.labels, np.roll(y, 5))
    assert len(records) == 10 * 3073


@pytest.mark.parametrize(
    ("text", "x", "labels", "classes"),
    [
        ("a,b,label\n1,2,0\n3,4.5,1\n", [[1, 2], [3, 4.5]], [0, 1], "01"),
        ("label;a;b\n1;2;3\n0;5;6\n", [[2, 3], [5, 6]], [1, 0], "01"),
        ("5.1,3.5,pear\n4.9,3,fig\n1,2,pear\n", [[5.1, 3.5], [4.9, 3], [1, 2]], [1, 0, 1], ["fig", "pear"]),
        ('a,b,kind\n1,2,"pear, ripe"\r\n3,4,fig\r\n\r\n', [[1, 2], [3, 4]], [1, 0], ["fig", "pear, ripe"]),
        ("\ufeffa\tb\tc\n1\t-2e3\t0.5\n3\t4\t1.5", [[1, -2000], [3, 4]], [0.5, 1.5], ""),
        ("0,1,label\n5.1,3.5,pear\n4.9,3,fig\n", [[5.1, 3.5], [4.9, 3]], [1, 0], ["fig", "pear"]),
        ("a,b,c\r1,2,0\r3,4,1\r", [[1, 2], [3, 4]], [0, 1], "01"),
        ("1,2,y\n3,4,n\n", [[1, 2], [3, 4]], [1, 0], ["n", "y"]),
        ('1, 2,fig\n3, 4, fig \n5, 6, "pear"\n', [[1, 2], [3, 4], [5, 6]], [0, 0, 1], ["fig", "pear"]),
    ],
    ids=[
        "named",
        "first",
        "words",
        "quoted",
        "fractions",
        "numbers-as-names",
        "carriage-returns",
        "yes-or-no",
        "blanks",
    ],
)
def test_csv(tmp_path: Path, text: str, x: list[list[float]], labels: list[float], classes: str) -> None:
    (tmp_path / "d").write_bytes(text.encode())
    data = open_data(tmp_path / "d")
    batch = everything(data)
    np.testing.assert_array_equal(batch.inputs["x"], np.array(x, np.float32))
    assert batch.labels.tolist() == labels
    assert data.classes == tuple(classes)


def test_the_column_of_a_csvs_labels(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b,c\n1,2,0\n2,1,5\n")
    for label, expected in (("a", [1, 2]), ("2", [2, 1]), (None, [0, 5])):
        assert (
            open_data(tmp_path / "d.csv", reading=Reading(label=label)).batch(np.arange(2)).labels.tolist()
            == expected
        )
    wide = open_data(tmp_path / "d.csv", reading=Reading(shape=(1, 1, 2)))
    assert everything(wide).inputs["x"].shape == (2, 1, 1, 2)


@pytest.mark.parametrize("kind", ["npy", "uint16", "uint32", "text", "gzip"])
def test_tokens(tmp_path: Path, kind: str) -> None:
    tokens = np.arange(33) * 25 % 101
    path = tmp_path / "tokens"
    contents = {"text": tokens.astype(np.uint8).tobytes(), "uint16": tokens.astype("<u2").tobytes()}
    contents |= {"uint32": tokens.astype("<u4").tobytes(), "gzip": gzip.compress(contents["text"])}
    if kind == "npy":
        with path.open("wb") as file:
            np.save(file, tokens)
    else:
        path.write_bytes(contents[kind])
    format = {"npy": None, "gzip": "text"}.get(kind, kind)
    data = open_data(path, format, Reading(context=8))
    batch = everything(data)
    assert (len(data), data.vocabulary) == (4, 256 if kind in ("text", "gzip") else 101)
    np.testing.assert_array_equal(batch.inputs["x"], tokens[:32].reshape(4, 8))
    np.testing.assert_array_equal(batch.labels, tokens[1:].reshape(4, 8))
    assert len(open_data(path, format, Reading(shape=(16,)))) == 2


def test_a_plain_text_is_told_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("To be, or not to be,\nthat is the question, and so on,\n" * 30)
    assert open_data(tmp_path / "a").vocabulary == 256


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_of_pictures(tmp_path: Path, workers: int) -> None:
    x = write_classes(tmp_path / "d", ("dog", "a cat"))
    (tmp_path / "d" / "dog" / "deeper").mkdir()
    Image.fromarray(x[0].transpose(1, 2, 0)).save(tmp_path / "d" / "dog" / "deeper" / "z.png")
    data = open_data(tmp_path / "d", reading=Reading(workers=workers))
    assert (data.classes, len(data), data.fields["x"].shape) == (("a cat", "dog"), 7, (3, 8, 8))
    batch = data.batch(np.array([6, 0, 1]))
    np.testing.assert_array_equal(batch.inputs["x"], x[[0, 3, 4]])
    assert batch.labels.tolist() == [1, 0, 0]
    resized = open_data(tmp_path / "d", reading=Reading(shape=(1, 4, 6), resize=9)).batch(np.array([0]))
    expected = images.read_image(data.place(0), (1, 4, 6), images.Preprocess(9))
    np.testing.assert_allclose(resized.inputs["x"][0] / 255, expected, rtol=1e-12)


def test_pictures_of_more_bits_are_numbers_from_0_to_1(tmp_path: Path) -> None:
    for name, value in (("a", 30000), ("b", 65535)):
        (tmp_path / name).mkdir()
        Image.fromarray(np.full((4, 4), value, np.uint16)).save(tmp_path / name / "x.png")
    Image.new("L", (4, 4), 51).save(tmp_path / "a" / "y.png")
    x = everything(open_data(tmp_path)).inputs["x"]
    np.testing.assert_allclose(x[:, 0, 0, 0], [30000 / 65535, 0.2, 1], rtol=1e-6)


def test_parts_of_a_folder_of_pictures(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", each=3)
    write_classes(tmp_path / "val", each=2)
    assert len(open_data(tmp_path)) == 6
    assert len(open_data(tmp_path, reading=Reading("test"))) == 4


@pytest.mark.parametrize(
    ("folders", "test"),
    [(("train", "val", "test"), "test"), (("Train", "Val"), "Val"), (("training", "valid"), "valid")],
)
def test_parts_by_their_names(tmp_path: Path, folders: tuple[str, ...], test: str) -> None:
    for size, name in enumerate(folders, 1):
        write_classes(tmp_path / name, each=size)
    for part, name in ((None, folders[0]), ("test", test)):
        data = open_data(tmp_path, reading=Reading(part))
        assert data.classes == ("cat", "dog")
        assert len(data) == 2 * (folders.index(name) + 1)


def test_every_format_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    for name in FORMATS:
        assert f"`{name}`" in page, name


def test_an_array_of_an_npy_file_in_each_order(tmp_path: Path) -> None:
    for array in (np.arange(24).reshape(2, 3, 4), np.asfortranarray(np.arange(6).reshape(2, 3))):
        np.save(tmp_path / "a.npy", array)
        raw = np.fromfile(tmp_path / "a.npy", np.uint8)
        np.testing.assert_array_equal(array_of_npy(raw, "a"), array)


def test_unknown_formats_are_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)))
    with pytest.raises(ExecutionError, match="no known format: its 256 bytes begin with 00 01 02"):
        open_data(tmp_path / "x")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "x", "x")
    with pytest.raises(ExecutionError, match="no known format") as caught:
        open_data(tmp_path / "a.tar.gz")
    assert str(caught.value.diagnostics[0].help).startswith("unpack it, tar xf ")
    with pytest.raises(ExecutionError, match="there is no format 'unit16'") as caught:
        open_data(tmp_path / "x", "unit16")
    assert caught.value.diagnostics[0].help == "did you mean uint16?"
    assert json.dumps([*FORMATS])
