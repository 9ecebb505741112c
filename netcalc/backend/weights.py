"""Weight files: `.npz` without pickles and `.safetensors`, keyed by the parameters' full names.

Nothing is read before its name and shape are known to be the network's. NumPy has no bfloat16: in
safetensors it is BF16, in arrays and in `.npz` float32, which holds each of its numbers.

Beside the weights a file may hold notes, texts by name: in the metadata of safetensors as `netcalc.mean`, in
an `.npz` as an array `@mean`, which no parameter is called.
"""

import json
import os
import struct
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple
from zipfile import ZipFile

import numpy as np
from safetensors import SafetensorError, safe_open

from netcalc.backend.errors import refuse
from netcalc.backend.files import (
    Header,
    by_ending,
    entries_of,
    opened,
    read_npz,
    sound,
    write_npz,
    written_whole,
)
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.diagnostics import Note, nearest
from netcalc.tensor import Shape, format_shape

_NOT_OURS = ".num_batches_tracked"
"""PyTorch's `num_batches_tracked`; it is ignored."""
_SHOWN = 5
"""Differences that an error lists before it counts the rest."""
_SAFETENSORS = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
}  # fmt: skip
"""Its names of the types that are read and written."""
_OWN_NAMES = {name: own for own, name in _SAFETENSORS.items()}
_ALIGNMENT = 8
_NOTE, _NOTE_OF_SAFETENSORS = "@", "netcalc."
"""What the names of notes begin with."""
_MOST_NOTES = 2**28
"""Bytes of notes that are read."""


class Stored(NamedTuple):
    """The arrays of a weight file by full name, and the type that each has there."""

    arrays: dict[str, Array]
    types: dict[str, str]


WeightCheck = Callable[[Mapping[str, Shape], Mapping[str, Shape], str], None]
"""Raises ExecutionError where what a file holds, by name and shape, is not what is wanted of it."""


def read_weights(
    path: str | os.PathLike[str], shapes: Mapping[str, Shape], check: WeightCheck | None = None
) -> dict[str, Array]:
    """The arrays of a weight file whose names and shapes are those of `shapes`.

    `check` takes the place of `check_weights`, which allows no others. Raises ExecutionError where the file
    cannot be read, holds pickled objects, or is of another network.
    """
    return stored_weights(path, shapes, check).arrays


def stored_weights(
    path: str | os.PathLike[str], shapes: Mapping[str, Shape], check: WeightCheck | None = None
) -> Stored:
    """As `read_weights`, with the types that they are stored in."""
    read, _ = FORMATS[by_ending(path, FORMATS)]
    with sound(path, "weight file"):
        return read(Path(path), shapes, check or check_weights)


def read_notes(path: str | os.PathLike[str]) -> dict[str, str]:
    """The notes of a weight file by name; raises ExecutionError where the file cannot be read."""
    read = _notes_of_npz if by_ending(path, FORMATS) == ".npz" else _notes_of_safetensors
    with sound(path, "weight file"):
        return read(Path(path))


def write_weights(
    path: str | os.PathLike[str],
    arrays: Arrays,
    bfloat16: Collection[str] = (),
    notes: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write arrays by name, in the format that the file's ending names; those of `bfloat16` as such."""
    _, write = FORMATS[by_ending(path, FORMATS)]
    write(path, arrays, bfloat16, notes)


def check_weights(found: Mapping[str, Shape], shapes: Mapping[str, Shape], where: str) -> None:
    """Raise ExecutionError unless names and shapes are those of the network."""
    problems = weight_differences(found, shapes)
    if problems:
        notes = listed_notes(problems.values())
        refuse("E905", f"{where} holds the weights of another network", notes=notes)


def weight_differences(found: Mapping[str, Shape], shapes: Mapping[str, Shape]) -> dict[str, str]:
    """What differs in names and shapes, a sentence for each array; notes and counters are none."""
    problems = {name: f"{name} is missing" for name in shapes if name not in found}
    for name, shape in found.items():
        if name not in shapes:
            if not name.endswith(_NOT_OURS) and not name.startswith(_NOTE):
                match = nearest(name, shapes)
                problems[name] = f"{name} is not the network's" + (f"; it has {match}" if match else "")
        elif shape != shapes[name]:
            problems[name] = f"{name} is {format_shape(shape)}, the network's {format_shape(shapes[name])}"
    return problems


def listed_notes(problems: Collection[str]) -> tuple[Note, ...]:
    """A note for each of the first problems, and one that counts the rest."""
    notes = [Note(problem) for problem in islice(problems, _SHOWN)]
    if len(problems) > _SHOWN:
        notes.append(Note(f"and {len(problems) - _SHOWN} more"))
    return tuple(notes)


def _read_npz(path: Path, shapes: Mapping[str, Shape], check_shapes: WeightCheck) -> Stored:
    def check(headers: dict[str, Header]) -> None:
        check_shapes({name: header.shape for name, header in headers.items()}, shapes, str(path))
        for name in shapes:
            _require_numbers(name, headers[name].dtype.name, headers[name].dtype.kind in "fiu")

    arrays = read_npz(path, shapes, check, "weight file")
    return Stored(arrays, {name: array.dtype.name for name, array in arrays.items()})


def _notes_of_npz(path: Path) -> dict[str, str]:
    def check(headers: dict[str, Header]) -> None:
        pass

    with opened(path) as file, ZipFile(file) as archive:
        entries = {name: entry for name, entry in entries_of(archive).items() if name.startswith(_NOTE)}
    if sum(entry.file_size for entry in entries.values()) > _MOST_NOTES:
        raise ValueError(f"its notes are larger than {_MOST_NOTES:,} bytes")
    arrays = read_npz(path, entries, check, "weight file")
    for name, array in arrays.items():
        if array.dtype.kind != "U" or array.shape:
            raise ValueError(f"{name} is no text")
    return {name.removeprefix(_NOTE): str(array) for name, array in arrays.items()}


def _write_npz(
    path: str | os.PathLike[str], arrays: Arrays, _: Collection[str], notes: Mapping[str, str]
) -> None:
    write_npz(path, {**arrays, **{f"{_NOTE}{name}": np.array(text) for name, text in notes.items()}})


def _read_safetensors(path: Path, shapes: Mapping[str, Shape], check_shapes: WeightCheck) -> Stored:
    with opened(path) as raw:
        try:
            with safe_open(path, framework="np") as file:  # it checks sizes and places
                places = _places(raw)
                slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
                found = {name: tuple(part.get_shape()) for name, part in slices.items()}
                check_shapes(found, shapes, str(path))
                types = {name: slices[name].get_dtype() for name in shapes}
                for name, kind in types.items():
                    _require_numbers(name, kind, kind in _SAFETENSORS)
                arrays = {
                    name: _bfloat16(raw, *places[name], shape)
                    if types[name] == "BF16"
                    else file.get_tensor(name)
                    for name, shape in shapes.items()
                }
        except SafetensorError as error:
            raise ValueError(str(error)) from None
    return Stored(arrays, {name: _SAFETENSORS[kind] for name, kind in types.items()})


def _places(raw: IO[bytes]) -> dict[str, tuple[int, int]]:
    """Where each array begins and ends in the file; a name that comes twice has two meanings."""
    entries, start = _header(raw)
    offsets = {name: entry["data_offsets"] for name, entry in entries.items() if name != "__metadata__"}
    return {name: (start + first, start + last) for name, (first, last) in offsets.items()}


def _header(raw: IO[bytes]) -> tuple[dict[str, Any], int]:
    """What a file says of its arrays, and where these begin."""
    (length,) = struct.unpack("<Q", raw.read(8))
    return json.loads(raw.read(length), object_pairs_hook=_without_twins), 8 + length


def _notes_of_safetensors(path: Path) -> dict[str, str]:
    with opened(path) as raw:
        try:
            with safe_open(path, framework="np"):  # it checks the header, whose metadata are texts
                notes: dict[str, str] = _header(raw)[0].get("__metadata__") or {}
        except SafetensorError as error:
            raise ValueError(str(error)) from None
    kept = {name: text for name, text in notes.items() if name.startswith(_NOTE_OF_SAFETENSORS)}
    return {name.removeprefix(_NOTE_OF_SAFETENSORS): text for name, text in kept.items()}


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for name, entry in pairs:
        if name in entries:
            raise ValueError(f"{name} is in it twice")
        entries[name] = entry
    return entries


def _bfloat16(raw: IO[bytes], first: int, last: int, shape: Shape) -> Array:
    """bfloat16 numbers as float32: their bits, and 16 zeros."""
    raw.seek(first)
    halves = np.frombuffer(raw.read(last - first), "<u2").astype(np.uint32)
    return (halves << 16).view(np.float32).reshape(shape)


def _write_safetensors(
    path: str | os.PathLike[str], arrays: Arrays, bfloat16: Collection[str], notes: Mapping[str, str]
) -> None:
    """A length, a header in JSON, and the numbers, as https://huggingface.co/docs/safetensors says."""
    header: dict[str, Any] = {}
    if notes:
        header["__metadata__"] = {f"{_NOTE_OF_SAFETENSORS}{name}": text for name, text in notes.items()}
    end = 0
    stored = dict(sorted(arrays.items(), key=lambda item: (item[0] in bfloat16, -item[1].itemsize)))
    for name, array in stored.items():
        kind = "bfloat16" if name in bfloat16 else array.dtype.name
        first, end = end, end + array.size * (2 if name in bfloat16 else array.itemsize)
        shape = list(array.shape)
        header[name] = {"dtype": _OWN_NAMES[kind], "shape": shape, "data_offsets": [first, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with written_whole(path) as partial, partial.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, array in stored.items():
            encoded = (array.view(np.uint32) >> 16).astype("<u2") if name in bfloat16 else array
            file.write(np.ascontiguousarray(encoded, encoded.dtype.newbyteorder("<")).tobytes())


def _require_numbers(name: str, dtype: str, fits: bool) -> None:
    if not fits:
        raise ValueError(f"{name} holds {dtype}, not numbers that NumPy knows")


FORMATS = {".npz": (_read_npz, _write_npz), ".safetensors": (_read_safetensors, _write_safetensors)}
"""How each ending is read and written."""
