"""Array files read with suspicion, and files written whole or not at all."""

import os
import stat
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from netcalc import files
from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.memory import require_memory
from netcalc.tensor import Shape

_NPZ_SUFFIX = ".npy"
FAULTS = (
    ValueError, TypeError, OverflowError, KeyError, IndexError, AttributeError, EOFError, RuntimeError,
    NotImplementedError, SyntaxError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy's, Python's and Pillow's readers raise where a file is not what it says."""
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How NumPy keeps the arrays of an `.npz`; others have faults of their own, and grow further."""
_MOST_HEADER = 2**16
"""Bytes of an array's header that are read; NumPy takes a description of 10,000."""


class Header(NamedTuple):
    """The header of a stored array."""

    shape: Shape
    dtype: np.dtype[np.generic]
    is_fortran: bool = False
    """Whether the first axis is the one whose numbers stand together."""

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize


Check = Callable[[dict[str, Header]], None]
"""Checks the headers of a file's arrays before any is read, and raises where they do not fit."""


@contextmanager
def sound(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Raise ExecutionError, naming the file, for whatever goes wrong in reading it."""
    try:
        yield
    except FileNotFoundError:
        refuse("E906", f"there is no {what} {path}")
    except OSError as error:
        refuse("E906", f"{path} cannot be read: {error.strerror or error}")
    except MemoryError:
        refuse("E906", f"{path} does not fit in memory")
    except FAULTS as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        refuse("E906", f"{path} is not a sound {what}: {reason}")


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A regular file for reading; a pipe or a device might never end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(None, "it is not a regular file")
    with Path(path).open("rb") as file:
        yield file


def read_npy(path: str | os.PathLike[str]) -> Array:
    """The array of an `.npy` file of numbers; raises ExecutionError where it cannot be read."""
    with sound(path, "array file"), opened(path) as file:
        header = header_of(file, os.fstat(file.fileno()).st_size, str(path))
        require_memory(header.nbytes, f"the numbers of {path}")
        file.seek(0)
        return _array(file)


def read_npz(
    path: str | os.PathLike[str], known: Collection[str], check: Check, what: str
) -> dict[str, Array]:
    """The arrays of an `.npz` file that have `known` names; raises ExecutionError where it cannot be read.

    `check` gets all names, with the headers of the known ones, before any array is inflated.
    """
    with sound(path, what), opened(path) as file, zipfile.ZipFile(file) as archive:
        entries = entries_of(archive)
        headers = {}
        for name, entry in entries.items():
            if name in known:
                with archive.open(entry) as stored:
                    headers[name] = header_of(stored, entry.file_size, entry.filename)
            else:
                headers[name] = Header((), np.dtype(np.void))
        check(headers)
        require_memory(sum(header.nbytes for header in headers.values()), f"the arrays of {path}")
        arrays = {}
        for name in known:
            if name in entries:
                with archive.open(entries[name]) as stored:
                    arrays[name] = _array(stored)
        return arrays


def write_npz(path: str | os.PathLike[str], arrays: Arrays) -> None:
    """Write arrays by name; raises ExecutionError where the file cannot be written."""
    with written_whole(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write to that takes the final name when all went well, and vanishes otherwise.

    Raises ExecutionError where nothing can be written there.
    """
    try:
        with files.written_whole(path) as partial:
            yield partial
    except OSError as error:
        refuse("E910", f"{path} cannot be written: {error.strerror or error}")


def by_ending(path: str | os.PathLike[str], endings: Collection[str]) -> str:
    """The ending, which determines the file's format; raises ExecutionError for any other."""
    ending = Path(path).suffix.lower()
    if ending not in endings:
        refuse("E906", f"{path} does not end in {' or '.join(endings)}, which say how it is kept")
    return ending


def entries_of(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries of an `.npz` by their arrays' names, which a suffix `.npy` has no part in."""
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.filename.removesuffix(_NPZ_SUFFIX)
        if name in entries:
            raise ValueError(f"{name} is in it twice, as {entries[name].filename} and {entry.filename}")
        if entry.compress_type not in _COMPRESSIONS:
            raise ValueError(f"{entry.filename} is neither stored nor deflated, as np.savez keeps arrays")
        entries[name] = entry
    return entries


def header_of(file: IO[bytes], size: int, name: str) -> Header:
    """The header of an array, which must agree with the `size` bytes of its file."""
    start = BytesIO(file.read(_MOST_HEADER))
    version = np.lib.format.read_magic(start)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in read:
        raise ValueError(f"{name} is in version {version} of the npy format")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Python 2 wrote
        shape, is_fortran, dtype = read[version](start)
    if dtype.hasobject:
        raise ValueError(f"{name} holds pickled objects")
    if min(shape, default=0) < 0:
        raise ValueError(f"{name} says it has the shape {shape}, with a negative size")
    header, there = Header(shape, dtype, is_fortran), size - start.tell()
    if header.nbytes != there:
        raise ValueError(f"{name} says it holds {header.nbytes:,} bytes, there are {there:,}")
    return header


def _array(file: IO[bytes]) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
