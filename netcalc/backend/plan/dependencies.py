"""Which worker waits for which: no longer than what they read and write asks for.

Each worker goes through a list of calls for each step. Before a list it waits for another worker's list
only if that wrote what this one touches, or touched what this one writes: a tensor, or the memory that
two tensors take in turn. Layers whose workers read only rows or channels that they wrote themselves
follow each other without waiting.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.convolution.base import Call
from netcalc.backend.kernels.base import Array

_GRAIN = 4
"""Bytes that are marked together: no number is smaller."""


class Wait(NamedTuple):
    """Until another worker has done so many of its lists."""

    worker: int
    lists: int


class Footprint(NamedTuple):
    """The arrays that a call reads, and those that it writes."""

    reads: list[Array]
    writes: list[Array]


def waits(lists: Sequence[Sequence[Sequence[Call]]], shared: Array) -> list[list[list[Wait]]]:
    """For each worker, before each of its lists, whom it waits for; `shared` is all workers' memory.

    Within a step the workers' parts lie apart. What each has for itself, it touches alone.
    """
    if len(lists) == 1:
        return [[[] for _ in lists[0]]]
    marks = Marks(shared, len(lists), len(lists[0]))
    found: list[list[list[Wait]]] = [[] for _ in lists]
    done = np.zeros((len(lists), len(lists)), int)
    np.fill_diagonal(done, len(lists[0]))
    for number in range(len(lists[0])):
        prints = [[footprint(call) for call in own[number]] for own in lists]
        for worker, own in enumerate(prints):
            needed = marks.needed(own)
            found[worker].append(
                [Wait(int(other), int(needed[other])) for other in np.flatnonzero(needed > done[worker])]
            )
            done[worker] = np.maximum(done[worker], needed)
        for worker, own in enumerate(prints):
            marks.add(own, worker, number + 1)
    return found


class Marks:
    """The last list of each worker that read, and that wrote, each number of the shared memory."""

    def __init__(self, shared: Array, workers: int, lists: int) -> None:
        self._base, self._size = _address(shared), shared.nbytes
        self._workers = workers
        self._read, self._written = np.zeros(
            (2, workers, -(-self._size // _GRAIN)), np.min_scalar_type(-lists - 1)
        )

    def needed(self, prints: Sequence[Footprint]) -> Array:
        """For each worker the last of its lists that has to come before calls of such footprints."""
        most = np.zeros(self._workers, int)
        for reads, writes in prints:
            for array in (*reads, *writes):
                self._most(self._written, array, most)
            for array in writes:
                self._most(self._read, array, most)
        return most

    def add(self, prints: Sequence[Footprint], worker: int, number: int) -> None:
        """Mark what calls of a worker's list touch."""
        for reads, writes in prints:
            for marks, arrays in ((self._read, reads), (self._written, writes)):
                for array in arrays:
                    for place in self._places(marks[worker], array):
                        place[...] = number

    def _most(self, marks: Array, array: Array, most: Array) -> None:
        for worker, own in enumerate(marks):
            for place in self._places(own, array):
                most[worker] = max(most[worker], place.max())

    def _places(self, marks: Array, array: Array) -> Iterator[Array]:
        """The marks of an array's numbers, where it lies in the shared memory."""
        offset = _address(array) - self._base
        if array.size and 0 <= offset < self._size:
            shape = (*array.shape, array.itemsize // _GRAIN)
            strides = (*(stride // _GRAIN * marks.itemsize for stride in array.strides), marks.itemsize)
            yield as_strided(marks[offset // _GRAIN :], shape, strides)


def footprint(call: Call) -> Footprint:
    """What a call touches: a NumPy function bound to arrays, its output the last of them or `out`."""
    assert isinstance(call, partial)
    function, given = call.func, list(call.args)
    written: list[Any] = [call.keywords.get("out")]
    if isinstance(function, np.ufunc):
        written += given[function.nin :]
        given = given[: function.nin]
    elif function is np.copyto:
        written.append(given.pop(0))
    owner = getattr(function, "__self__", None)
    return Footprint(list(_arrays([owner, *given])), list(_arrays(written)))


def _arrays(values: Sequence[Any]) -> Iterator[Array]:
    for value in values:
        if isinstance(value, np.ndarray):
            yield value
        elif isinstance(value, tuple):
            yield from _arrays(value)


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
