"""Array files read with suspicion, and files written whole or not at all."""

import os
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, NamedTuple

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.tensor import Shape

_NPZ_SUFFIX = ".npy"
_ZIP_FAULTS = (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError)


class Header(NamedTuple):
    """What a stored array says of itself."""

    shape: Shape
    dtype: np.dtype[np.generic]

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize


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
    except (ValueError, TypeError, OverflowError, *_ZIP_FAULTS) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        refuse("E906", f"{path} is not a sound {what}: {reason}")


def read_npy(path: str | os.PathLike[str]) -> Array:
    """The array of an `.npy` file of numbers; raises ExecutionError where it cannot be read."""
    with sound(path, "array file"), Path(path).open("rb") as file:
        header = _header(file, str(path))
        _require_there(header, os.fstat(file.fileno()).st_size, str(path))
        file.seek(0)
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def npz_headers(path: str | os.PathLike[str]) -> dict[str, Header]:
    """What the arrays of an `.npz` file say of themselves, by name; no data is read."""
    headers = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                header = _header(file, entry.filename)
            _require_there(header, entry.file_size, entry.filename)
            headers[entry.filename.removesuffix(_NPZ_SUFFIX)] = header
    return headers


def read_npz(path: str | os.PathLike[str]) -> dict[str, Array]:
    """All arrays of an `.npz` file of numbers; raises ExecutionError where it cannot be read."""
    with sound(path, "array file"):
        names = npz_headers(path)
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}


def write_npz(path: str | os.PathLike[str], arrays: Arrays) -> None:
    """Write arrays by name; raises ExecutionError where the file cannot be written."""
    with written_whole(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write to that takes the final name when all went well, and vanishes otherwise.

    Raises ExecutionError where nothing can be written there.
    """
    final = Path(path)
    try:
        if final.exists() and not os.access(final, os.W_OK):
            raise PermissionError(None, "it is read-only")
        with NamedTemporaryFile(dir=final.parent, prefix=f".{final.name}.", delete=False) as file:
            partial = Path(file.name)
        try:
            yield partial
            partial.chmod(0o666 & ~_umask())
            partial.replace(final)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        refuse("E910", f"{path} cannot be written: {error.strerror or error}")


def by_ending(path: str | os.PathLike[str], endings: Collection[str]) -> str:
    """The ending that says how a file is kept; raises ExecutionError for any other."""
    ending = Path(path).suffix.lower()
    if ending not in endings:
        refuse("E906", f"{path} does not end in {' or '.join(endings)}, which say how it is kept")
    return ending


def _header(file: IO[bytes], name: str) -> Header:
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in read:
        raise ValueError(f"{name} is in version {version} of the npy format")
    shape, _, dtype = read[version](file)
    if dtype.hasobject:
        raise ValueError(f"{name} holds pickled objects")
    return Header(shape, dtype)


def _require_there(header: Header, size: int, name: str) -> None:
    """An array cannot say that it is larger than its file."""
    if header.nbytes > size:
        raise ValueError(f"{name} says it holds {header.nbytes:,} bytes, there are {size:,}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
