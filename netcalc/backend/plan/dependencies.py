"""Data dependencies between workers: which worker waits for which.

Each worker runs a list of calls for each operation. Before a list it waits for another worker's list only
if that wrote memory that this one reads or writes, or read memory that this one writes. Consecutive
operations whose workers read only rows or channels that they wrote themselves need no wait.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.calls import Call

_GRAIN = 4
"""Bytes of one mark: no element is smaller."""


class Wait(NamedTuple):
    """Wait until another worker has completed this many of its lists."""

    worker: int
    lists: int


class Footprint(NamedTuple):
    """The arrays that a call reads, and those that it writes."""

    reads: list[Array]
    writes: list[Array]


def waits(lists: Sequence[Sequence[Sequence[Call]]], shared: Array) -> list[list[list[Wait]]]:
    """The waits of each worker before each of its lists; `shared` is the memory that all workers use.

    Within an operation the workers' parts do not overlap, and a worker's own memory needs no wait.
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
    """For each element of the shared memory the last list of each worker that read it, and that wrote it."""

    def __init__(self, shared: Array, workers: int, lists: int) -> None:
        self._base, self._size = _address(shared), shared.nbytes
        self._workers = workers
        self._read, self._written = np.zeros(
            (2, workers, -(-self._size // _GRAIN)), np.min_scalar_type(-lists - 1)
        )

    def needed(self, prints: Sequence[Footprint]) -> Array:
        """For each worker the last of its lists that must complete before calls with such footprints."""
        most = np.zeros(self._workers, int)
        for reads, writes in prints:
            for array in (*reads, *writes):
                self._most(self._written, array, most)
            for array in writes:
                self._most(self._read, array, most)
        return most

    def add(self, prints: Sequence[Footprint], worker: int, number: int) -> None:
        """Mark the memory that the calls of a worker's list read and write."""
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
        """The marks of an array's elements, if it lies in the shared memory."""
        offset = _address(array) - self._base
        if array.size and 0 <= offset < self._size:
            shape = (*array.shape, array.itemsize // _GRAIN)
            strides = (*(stride // _GRAIN * marks.itemsize for stride in array.strides), marks.itemsize)
            yield as_strided(marks[offset // _GRAIN :], shape, strides)


def footprint(call: Call) -> Footprint:
    """What a call reads and writes: a NumPy function bound to arrays, whose output is the last or `out`."""
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
