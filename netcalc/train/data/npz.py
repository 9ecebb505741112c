"""`.npz`: arrays by name, samples in `x` or under the names of the network's inputs, labels in `y`.

`x_train`, `y_train`, `x_test` and `y_test` are the two parts of a data set in one file. Arrays that are
stored without compression, as `np.savez` does, are mapped from disk.
"""

import zipfile
from io import BytesIO

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.files import Header, entries_of, header_of, opened, read_npz, sound
from netcalc.backend.kernels.base import Array
from netcalc.train.data.content import GZIP
from netcalc.train.data.dataset import ArrayData, Reading, laid_out

LABELS = "y"
_PARTS = {"train": "_train", "test": "_test"}
_LOCAL_HEADER = 30
"""Bytes of a ZIP entry's header before its name, whose length and that of the extra field are the last four.
"""


def is_npz(head: bytes) -> bool:
    """Whether bytes begin as a ZIP archive does."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def array_of_npy(raw: Array, name: str) -> Array:
    """The array of the bytes of an `.npy` file, as a view of them."""
    header = header_of(BytesIO(raw[: 2**16].tobytes()), len(raw), name)
    numbers: Array = raw[len(raw) - header.nbytes :].view(header.dtype)
    return numbers.reshape(header.shape[::-1]).T if header.is_fortran else numbers.reshape(header.shape)


def read(path: str, raw: Array, reading: Reading) -> ArrayData:
    """The samples and labels of an `.npz`; raises ExecutionError where they cannot be read."""
    arrays = _of_part(path, _arrays(path, raw), reading)
    if LABELS not in arrays:
        refuse("E920", f"{path} has no labels: an array {LABELS!r} beside {', '.join(arrays) or 'nothing'}")
    labels = arrays.pop(LABELS)
    if not arrays:
        refuse("E920", f"{path} has no samples: an array 'x' beside {LABELS!r}")
    if not labels.ndim:
        refuse("E922", f"the labels of {path} are one number, not one a sample")
    if reading.shape is not None and len(arrays) > 1:
        refuse("E921", f"{path} has several inputs, whose shapes stay: {', '.join(arrays)}")
    return ArrayData(path, {name: laid_out(a, reading.shape, path) for name, a in arrays.items()}, labels)


def _arrays(path: str, raw: Array) -> dict[str, Array]:
    """All arrays of an archive by their names."""
    with sound(path, "data file"):
        with opened(path) as file:
            if file.read(len(GZIP)) == GZIP:
                raise ValueError("it is compressed twice: gunzip it")
            with zipfile.ZipFile(file) as archive:
                entries = entries_of(archive)
        stored = [entry for entry in entries.values() if entry.compress_type == zipfile.ZIP_STORED]
        if len(stored) < len(entries):

            def check(headers: dict[str, Header]) -> None:
                pass

            return read_npz(path, list(entries), check, "data file")
        return {name: array_of_npy(raw[_place(raw, entry)], name) for name, entry in entries.items()}


def _place(raw: Array, entry: zipfile.ZipInfo) -> slice:
    """Where the bytes of a stored entry are."""
    lengths = raw[entry.header_offset :][_LOCAL_HEADER - 4 : _LOCAL_HEADER].view("<u2")
    start = entry.header_offset + _LOCAL_HEADER + int(lengths.sum(dtype=np.int64))
    return slice(start, start + entry.file_size)


def _of_part(path: str, arrays: dict[str, Array], reading: Reading) -> dict[str, Array]:
    """The arrays of the part that is asked for, by their names without it."""
    has_parts = any(name.endswith(tuple(_PARTS.values())) for name in arrays)
    if not has_parts:
        if reading.part:
            refuse("E920", f"{path} has no parts: its arrays are {', '.join(arrays)}")
        return arrays
    suffix = _PARTS[reading.part or "train"]
    part = {name.removesuffix(suffix): array for name, array in arrays.items() if name.endswith(suffix)}
    if not part:
        refuse("E920", f"{path} has no array that ends in {suffix}: its arrays are {', '.join(arrays)}")
    return part
