"""The arrays that a kernel's backward really holds, and their bytes."""

from collections.abc import Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from netcalc.backend.kernels.base import Array, Backward


def saved_bytes(backward: Backward, without: dict[str, Array]) -> int:
    """The bytes of all arrays that a backward references, each once, those of `without` left out."""
    left_out = {id(owner(array)) for array in without.values()}
    owners = {id(own): own for own in map(owner, held_arrays(backward))}
    return sum(own.nbytes for key, own in owners.items() if key not in left_out)


def owner(array: Array) -> Array:
    """The array whose memory this one is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def held_arrays(thing: Any, seen: set[int] | None = None) -> Iterator[Array]:
    """The arrays in a function's closure, in what it calls, and in the values in there."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield thing
    for part in _parts(thing):
        yield from held_arrays(part, seen)


def _parts(thing: Any) -> Iterator[Any]:
    if isinstance(thing, FunctionType):
        yield from (cell.cell_contents for cell in thing.__closure__ or () if _is_filled(cell))
        yield from thing.__defaults__ or ()
    elif isinstance(thing, MethodType):
        yield from (thing.__self__, thing.__func__)
    elif isinstance(thing, partial):
        yield from (thing.func, thing.args, thing.keywords)
    elif isinstance(thing, tuple | list):
        yield from thing
    elif isinstance(thing, dict):
        yield from thing.values()
    elif type(thing).__module__.startswith(__package__):
        yield getattr(thing, "__dict__", {})


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 (it raises where nothing is in there yet)
    except ValueError:
        return False
    return True
