"""Weight files: `.npz` without pickles and `.safetensors`, keyed by the parameters' full names.

Nothing is read before its name and shape are known to be the network's.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from netcalc.backend.errors import refuse
from netcalc.backend.files import by_ending, npz_headers, sound, write_npz, written_whole
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
    read, _ = FORMATS[by_ending(path, FORMATS)]
    with sound(path, "weight file"):
        return read(Path(path), shapes)


def write_weights(path: str | os.PathLike[str], arrays: Arrays) -> None:
    """Write arrays by name, in the format that the file's ending names."""
    _, write = FORMATS[by_ending(path, FORMATS)]
    write(path, arrays)


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
        refuse("E905", f"{where} holds the weights of another network", notes=tuple(notes))


def _read_npz(path: Path, shapes: Mapping[str, Shape]) -> dict[str, Array]:
    headers = npz_headers(path)
    check_weights({name: header.shape for name, header in headers.items()}, shapes, str(path))
    for name, header in headers.items():
        _require_numbers(name, header.dtype.name, header.dtype.kind in "fiu")
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in shapes}


def _read_safetensors(path: Path, shapes: Mapping[str, Shape]) -> dict[str, Array]:
    path.open("rb").close()  # a missing file is an error of its own
    try:
        with safe_open(path, framework="np") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            check_weights({name: tuple(part.get_shape()) for name, part in slices.items()}, shapes, str(path))
            for name, part in slices.items():
                _require_numbers(name, part.get_dtype(), part.get_dtype() in ("F64", "F32", "F16", "I64"))
            return {name: file.get_tensor(name) for name in shapes}
    except SafetensorError as error:
        raise ValueError(str(error)) from None


def _require_numbers(name: str, dtype: str, fits: bool) -> None:
    if not fits:
        raise ValueError(f"{name} holds {dtype}, not numbers that NumPy knows")


def _write_safetensors(path: str | os.PathLike[str], arrays: Arrays) -> None:
    with written_whole(path) as partial:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, partial)


FORMATS = {".npz": (_read_npz, write_npz), ".safetensors": (_read_safetensors, _write_safetensors)}
