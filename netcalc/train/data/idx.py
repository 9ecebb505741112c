"""IDX, the format of MNIST: a magic number, the sizes, and the numbers, all big-endian.

Bytes 0 and 1 are zero, byte 2 is the type, byte 3 the number of axes; a size of 4 bytes for each axis follows
(Yann LeCun, Corinna Cortes and Christopher Burges, "The MNIST database of handwritten digits").
"""

import os
from pathlib import Path

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.tensor import format_shape
from netcalc.train.data.content import beginning, content
from netcalc.train.data.dataset import ArrayData, Reading, laid_out, native

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 8


def is_idx(head: bytes) -> bool:
    """Whether bytes begin as an IDX file does."""
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in _TYPES and 0 < head[3] <= _MOST_AXES


def read_idx(path: str | os.PathLike[str], raw: Array) -> Array:
    """The array of an IDX file, a view of its bytes. Raises ExecutionError where sizes do not agree."""
    head = raw[: 4 + 4 * _MOST_AXES].tobytes()
    if not is_idx(head):
        refuse("E906", f"{path} is not an IDX file: it begins with {head[:4].hex(' ')}")
    dtype, axes = np.dtype(_TYPES[head[2]]), head[3]
    start = 4 + 4 * axes
    if len(raw) < start:
        refuse("E906", f"{path} ends in its header, after {len(raw)} of {start} bytes")
    shape = tuple(int(size) for size in np.frombuffer(head[4:start], ">u4"))
    wanted = start + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if wanted != len(raw):
        sizes = f"{format_shape(shape)} numbers of {dtype.itemsize} bytes"
        fault = "is cut off" if len(raw) < wanted else "goes on after its end"
        refuse("E906", f"{path} {fault}: {sizes} make {wanted:,} bytes, there are {len(raw):,}")
    return raw[start:].view(dtype).reshape(shape)


def read(path: str, raw: Array, reading: Reading) -> ArrayData:
    """Samples of an IDX file, with the labels of the file beside it."""
    if reading.part:
        refuse("E920", f"{path} is one part alone", help="name the folder that it is in for --part")
    samples = read_idx(path, raw)
    beside = Path(path).with_name(_labels_name(Path(path).name))
    if beside == Path(path) or not beside.exists():
        refuse(
            "E920",
            f"{path} has no file of labels beside it",
            help=f"the labels of train-images-idx3-ubyte are in train-labels-idx1-ubyte; here {beside.name}",
        )
    return _joined(path, samples, str(beside), reading)


def read_folder(path: str, files: list[str], reading: Reading) -> ArrayData:
    """Samples and labels of one part of a folder with files as MNIST's."""
    found = [name for name in files if is_idx(beginning(Path(path, name)))]
    parts = {"train": [n for n in found if "train" in n], "test": [n for n in found if "train" not in n]}
    if not parts["train"]:
        parts = {"train": found, "test": []}
    part = parts[reading.part or "train"]
    if not part:
        refuse("E920", f"{path} has no {reading.part} part: its IDX files are {', '.join(found)}")
    pictures = [name for name in part if beginning(Path(path, name), 4)[3] > 1]
    labels = [name for name in part if name not in pictures]
    if len(pictures) != 1 or len(labels) != 1:
        refuse(
            "E920",
            f"{path} has for one part {len(pictures)} IDX files of samples and {len(labels)} of labels: "
            + ", ".join(part),
            help="put one of each into the folder, or name the file of samples",
        )
    samples = str(Path(path, pictures[0]))
    return _joined(samples, read_idx(samples, content(samples)), str(Path(path, labels[0])), reading)


def _joined(path: str, samples: Array, labels_path: str, reading: Reading) -> ArrayData:
    labels = native(read_idx(labels_path, content(labels_path)))
    if labels.ndim != 1:
        refuse("E922", f"{labels_path} has labels of {format_shape(labels.shape)}, not one a sample")
    shape = reading.shape
    if shape is None and samples.ndim == 3:  # grey pictures have one channel
        shape = (1, *samples.shape[1:])
    return ArrayData(path, {"x": laid_out(samples, shape, path)}, labels)


def _labels_name(name: str) -> str:
    """The name of the labels of a file of pictures, or the same name where it is none."""
    return name.replace("images", "labels").replace("idx3", "idx1")
