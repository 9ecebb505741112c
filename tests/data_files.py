"""Small data sets in every format, for tests."""

import gzip
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from netcalc.diagnostics import ExecutionError
from netcalc.train.data import Reading, open_data
from netcalc.train.data.dataset import Batch, DataSet

Array = np.ndarray[Any, np.dtype[Any]]
IDX_TYPES = {"u1": 0x08, "i1": 0x09, ">i2": 0x0B, ">i4": 0x0C, ">f4": 0x0D, ">f8": 0x0E}


def idx_bytes(array: Array, dtype: str = "u1") -> bytes:
    """An IDX file of an array."""
    head = bytes([0, 0, IDX_TYPES[dtype], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(dtype).tobytes()


def pictures(count: int = 20, shape: tuple[int, ...] = (28, 28), classes: int = 10) -> tuple[Array, Array]:
    """Random bytes, and labels in which every class is."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *shape), np.uint8), np.arange(count, dtype=np.uint8) % classes


def write_mnist(
    folder: Path, compressed: bool = False, part: str = "train", count: int = 20
) -> tuple[Array, Array]:
    """A folder as MNIST is published."""
    x, y = pictures(count)
    folder.mkdir(exist_ok=True)
    for what, axes, array in (("images", 3, x), ("labels", 1, y)):
        content = idx_bytes(array)
        name = f"{part}-{what}-idx{axes}-ubyte"
        (folder / (name + ".gz" * compressed)).write_bytes(gzip.compress(content) if compressed else content)
    return x, y


def cifar_records(count: int = 10) -> tuple[Array, Array, bytes]:
    """Pictures, labels and the records that hold them."""
    x, y = pictures(count, (3, 32, 32))
    return x, y, b"".join(bytes([label]) + picture.tobytes() for picture, label in zip(x, y, strict=True))


class OldPickle:
    """A pickle as Python 2 wrote CIFAR-10: protocol 2, text in bytes."""

    def __init__(self, x: Array, y: Array) -> None:
        text = self.text
        data = x.reshape(len(x), -1)
        rows, columns = data.shape
        array = (
            b"cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85q\x05" + text(b"b") + b"\x87Rq\x06"
            b"(K\x01J" + struct.pack("<i", rows) + b"J" + struct.pack("<i", columns) + b"\x86cnumpy\ndtype\nq\x07"
            + text(b"u1") + b"K\x00K\x01\x87Rq\x08(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
            b"T" + struct.pack("<i", data.nbytes) + data.tobytes() + b"tb"
        )  # fmt: skip
        labels = b"]q\x09(" + b"".join(b"K" + bytes([label]) for label in y) + b"e"
        names = b"]q\x0a(" + b"".join(text(f"{n}.png".encode()) for n in range(len(x))) + b"e"
        entries = text(b"batch_label") + text(b"training batch 1 of 5") + text(b"labels") + labels
        self.content = (
            b"\x80\x02}q\x01(" + entries + text(b"data") + array + text(b"filenames") + names + b"u."
        )

    @staticmethod
    def text(content: bytes) -> bytes:
        return b"U" + bytes([len(content)]) + content


def cifar_pickle(x: Array, y: Array, protocol: int) -> bytes:
    """CIFAR-10's dict, pickled by this Python."""
    names = [f"{number}.png" for number in range(len(x))]
    batch = {"data": x.reshape(len(x), -1), "labels": y.tolist(), "batch_label": "one", "filenames": names}
    return pickle.dumps(batch, protocol)


def write_classes(
    folder: Path, names: tuple[str, ...] = ("cat", "dog"), each: int = 3, size: int = 8
) -> Array:
    """A folder of pictures in folders of classes, as PNG; gives the pictures N,3,size,size."""
    x, _ = pictures(len(names) * each, (size, size, 3))
    for number, picture in enumerate(x):
        path = folder / names[number // each]
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path / f"{number}.png")
    return x.transpose(0, 3, 1, 2)


def everything(data: DataSet) -> Batch:
    """All samples in their order."""
    return data.batch(np.arange(len(data)))


def refused(
    path: Path, code: str, words: str, format: str | None = None, reading: Reading | None = None
) -> None:
    """The data set is refused with a code and a message that names the file."""
    with pytest.raises(ExecutionError, match=words) as caught:
        open_data(path, format, reading)
    (problem,) = caught.value.diagnostics
    assert problem.code == code
    assert path.name in problem.message
