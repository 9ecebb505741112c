"""Weight files: `.npz` without pickles and `.safetensors`, keyed by the parameters' full names.

Nothing is read before its name and shape are known to be the network's, and nothing is written
under its final name before it is whole.
"""

import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.diagnostics import Note, nearest
from netcalc.tensor import Shape, format_shape

_NOT_OURS = ".num_batches_tracked"
"""What PyTorch counts beside running statistics; it has no part in any result."""
_SHOWN = 5
"""Differences that an error lists before it counts the rest."""


def read_weights(path: str | os.PathLike[str], shapes: Mapping[str, Shape]) -> dict[str, Array]:
    """The arrays of a weight file whose names and shapes are those of `shapes`.

    Raises ExecutionError where the file cannot be read, holds pickled objects, or is of another network.
    """
    read, _ = _FORMATS[_ending(path)]
    try:
        return read(Path(path), shapes)
    except FileNotFoundError:
        refuse("E806", f"there is no weight file {path}")
    except OSError as error:
        refuse("E806", f"{path} cannot be read: {error.strerror or error}")
    except (
        ValueError,
        TypeError,
        EOFError,
        zipfile.BadZipFile,
        SafetensorError,
        NotImplementedError,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        refuse("E806", f"{path} is not a sound weight file: {reason}")


def write_weights(path: str | os.PathLike[str], arrays: Arrays) -> None:
    """Write arrays by name, in the format that the file's ending names."""
    _, write = _FORMATS[_ending(path)]
    with written_whole(path) as partial:
        write(partial, arrays)


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write to that takes the final name when all went well, and vanishes otherwise.

    Raises ExecutionError where nothing can be written there.
    """
    final = Path(path)
    try:
        with NamedTemporaryFile(dir=final.parent, prefix=f".{final.name}.", delete=False) as file:
            partial = Path(file.name)
        try:
            yield partial
            partial.chmod(0o666 & ~_umask())
            partial.replace(final)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        refuse("E810", f"{path} cannot be written: {error.strerror or error}")


def check_weights(found: Mapping[str, Shape], shapes: Mapping[str, Shape], where: str) -> None:
    """Raise ExecutionError unless names and shapes are those of the network."""
    problems = [f"{name} is missing" for name in shapes if name not in found]
    for name, shape in found.items():
        if name not in shapes:
            if not name.endswith(_NOT_OURS):
                match = nearest(name, shapes)
                problems.append(f"{name} is not the network's" + (f"; it has {match}" if match else ""))
        elif shape != shapes[name]:
            problems.append(f"{name} is {format_shape(shape)}, the network's {format_shape(shapes[name])}")
    if problems:
        notes = [Note(problem) for problem in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            notes.append(Note(f"and {len(problems) - _SHOWN} more"))
        refuse("E805", f"{where} holds the weights of another network", notes=tuple(notes))


def _read_npz(path: Path, shapes: Mapping[str, Shape]) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        headers = {name.removesuffix(".npy"): _header(archive, name) for name in archive.namelist()}
    check_weights({name: shape for name, (shape, _) in headers.items()}, shapes, str(path))
    for name, (_, dtype) in headers.items():
        _require_floats(name, dtype.name, dtype.kind in "fiu")
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in shapes}


def _header(archive: zipfile.ZipFile, name: str) -> tuple[Shape, np.dtype[np.generic]]:
    """The shape and dtype that an array's header states, without its data."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in read:
            raise ValueError(f"{name} is in version {version} of the npy format")
        shape, _, dtype = read[version](file)
    return shape, dtype


def _read_safetensors(path: Path, shapes: Mapping[str, Shape]) -> dict[str, Array]:
    path.open("rb").close()  # a missing file is an error of its own
    with safe_open(path, framework="np") as file:
        names = file.keys()
        slices = {name: file.get_slice(name) for name in names}
        found = {name: tuple(part.get_shape()) for name, part in slices.items()}
        check_weights(found, shapes, str(path))
        for name, part in slices.items():
            _require_floats(name, part.get_dtype(), part.get_dtype() in ("F64", "F32", "F16", "I64"))
        return {name: file.get_tensor(name) for name in shapes}


def _require_floats(name: str, dtype: str, fits: bool) -> None:
    if not fits:
        raise ValueError(f"{name} holds {dtype}, not floating-point numbers")


def _write_npz(path: Path, arrays: Arrays) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _write_safetensors(path: Path, arrays: Arrays) -> None:
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


_FORMATS = {".npz": (_read_npz, _write_npz), ".safetensors": (_read_safetensors, _write_safetensors)}


def _ending(path: str | os.PathLike[str]) -> str:
    ending = Path(path).suffix.lower()
    if ending not in _FORMATS:
        refuse("E806", f"{path} does not end in {' or '.join(_FORMATS)}, which say how weights are kept")
    return ending


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
