"""CIFAR-10 in both forms in which it is published (Krizhevsky, "Learning multiple layers of features from
tiny images", 2009).

The binary form has records of 3073 bytes: a label from 0 to 9, then 1024 bytes of red, of green and of blue,
row by row. The Python form is a pickled dict with `data`, an array of 3072 bytes a sample in that order, and
`labels`, a list. A folder has five files for training, one for testing, and one with the names of the
classes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.backend.memory import require_memory
from netcalc.tensor import Shape, format_shape
from netcalc.train.data.content import beginning, content
from netcalc.train.data.dataset import ArrayData, Reading
from netcalc.train.data.pickles import arrays_of, read_pickle

SHAPE: Shape = (3, 32, 32)
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
PIXELS = 3072
RECORD = 1 + PIXELS
_NAMES = ("batches.meta", "batches.meta.txt")
"""Files of a folder that hold the names of the classes, which are known."""


def is_pickle(head: bytes) -> bool:
    """Whether bytes begin as a pickle of protocol 2 or later does."""
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def is_record_file(head: bytes, size: int) -> bool:
    """Whether a file is of whole records, and the first one has the label of a class."""
    return size > 0 and size % RECORD == 0 and head[0] < len(CLASSES)


def read_binary(path: str, raw: Array, reading: Reading) -> ArrayData:
    """The samples of one file of the binary form, as a view of its bytes."""
    return _data(path, [_records(path, raw)], _whole(path, reading))


def read_python(path: str, raw: Array, reading: Reading) -> ArrayData:
    """The samples of one file of the Python form."""
    return _data(path, [_unpickled(path, raw)], _whole(path, reading))


def is_folder(path: str, files: list[str]) -> bool:
    """Whether a folder has files of samples in either form."""
    return bool(_batches(path, files))


def read_folder(path: str, files: list[str], reading: Reading) -> ArrayData:
    """The samples of one part of a folder, in the order of its files' names."""
    batches = _batches(path, files)
    parts = {
        "train": [name for name in batches if "test" not in name],
        "test": [name for name in batches if "test" in name],
    }
    chosen = sorted(parts[reading.part] if reading.part else parts["train"] or parts["test"])
    if not chosen:
        refuse("E920", f"{path} has no {reading.part} part: its files are {', '.join(sorted(batches))}")
    parsed = []
    for name in chosen:
        own = str(Path(path, name))
        parse = _unpickled if batches[name] else _records
        parsed.append(parse(own, content(own)))
    return _data(path, parsed, reading)


def _batches(path: str, files: list[str]) -> dict[str, bool]:
    """The files of samples, each with whether it is a pickle."""
    found = {}
    for name in files:
        file = Path(path, name)
        head = beginning(file, 2 * RECORD)
        if name in _NAMES or not head:
            continue
        if is_pickle(head):
            found[name] = True
        elif head[0] < len(CLASSES) and name.removesuffix(".gz").endswith(".bin"):
            found[name] = False  # by its name too: a file that is cut off is one of them
    return found


def _whole(path: str, reading: Reading) -> Reading:
    if reading.part:
        refuse("E920", f"{path} is one part alone", help="name the folder that it is in for --part")
    return reading


def _records(path: str, raw: Array) -> tuple[Array, Array]:
    if len(raw) % RECORD:
        whole, rest = divmod(len(raw), RECORD)
        refuse("E906", f"{path} is cut off: after {whole:,} records of {RECORD} bytes there are {rest} more")
    records = raw.reshape(-1, RECORD)
    return records[:, 1:], records[:, 0]


def _unpickled(path: str, raw: Array) -> tuple[Array, Array]:
    found = read_pickle(path, raw)
    if type(found) is not dict:
        refuse("E924", f"{path} holds no dict, as the files of CIFAR-10 do")
    pixels, labels = (arrays_of(found.get(key, found.get(key.encode()))) for key in ("data", "labels"))
    if not isinstance(pixels, np.ndarray) or type(labels) is not list:
        there = ", ".join(str(key)[:40] for key in [*found][:8])
        refuse("E924", f"{path} has no array 'data' beside a list 'labels', but {there or 'nothing'}")
    if pixels.ndim != 2 or pixels.shape[1] != PIXELS:
        refuse("E921", f"{path} has data of {format_shape(pixels.shape)}, not N x {PIXELS}")
    if len(labels) != len(pixels):
        refuse("E921", f"{path} has {len(pixels):,} samples and {len(labels):,} labels")
    return pixels, _label_array(path, labels)


def _label_array(path: str, labels: list[Any]) -> Array:
    for number, label in enumerate(labels):
        if type(label) is not int or not 0 <= label < len(CLASSES):
            shown = label if isinstance(label, int) else type(label).__name__
            _refuse_label(path, number, shown)
    return np.array(labels, np.uint8)


def _refuse_label(path: str, number: int, label: object) -> None:
    refuse("E922", f"sample {number} of {path} has the label {label}; CIFAR-10's are 0 to {len(CLASSES) - 1}")


def _data(path: str, parsed: list[tuple[Array, Array]], reading: Reading) -> ArrayData:
    if reading.shape not in (None, SHAPE):
        refuse("E921", f"samples of {path} are {format_shape(SHAPE)}, and stay so")
    require_memory(sum(pixels.nbytes for pixels, _ in parsed), f"the pictures of {path}")
    pixels, labels = parsed[0] if len(parsed) == 1 else map(np.concatenate, zip(*parsed, strict=True))
    beyond = np.flatnonzero(labels >= len(CLASSES))
    if len(beyond):
        _refuse_label(path, int(beyond[0]), labels[beyond[0]])
    return ArrayData(path, {"x": pixels.reshape(-1, *SHAPE)}, labels, CLASSES)
