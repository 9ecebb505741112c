"""A plan is lists of calls: NumPy functions bound to views of memory that stays in place.

An operation does not compute: it yields calls, which are kept and run again for each input. Where a view
is taken in another shape, `copy=False` requires that it stays a view: a copy would be made once, of values
that have not been computed yet.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.tensor import Shape

Call = Callable[[], object]
Epilogue = Callable[[Array, "Scratch"], Iterator[Call]]
"""The calls that apply an activation to an output, in place."""

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector."""


class Scratch:
    """Memory for the temporaries of one operation, reused by the next.

    Without memory it returns views that must not be read or written, and `most` is the number of bytes
    that are needed.
    """

    def __init__(self, memory: Array | None = None) -> None:
        self._memory = memory
        self._taken = 0
        self.most = 0

    @property
    def is_measured(self) -> bool:
        """Whether there is no memory yet, and `most` is being measured."""
        return self._memory is None

    def take(self, shape: Shape, dtype: np.dtype[np.floating]) -> Array:
        """An uninitialised array."""
        start = self._taken
        self._taken += -(-prod(shape) * dtype.itemsize // ALIGNMENT) * ALIGNMENT
        self.most = max(self.most, self._taken)
        if self._memory is None:
            return unallocated(shape, dtype)
        flat = self._memory[start : start + prod(shape) * dtype.itemsize]
        return flat.view(dtype).reshape(shape, copy=False)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """A context that frees at its end what was taken inside."""
        taken = self._taken
        yield
        self._taken = taken


def unallocated(shape: Shape, dtype: np.dtype[np.floating]) -> Array:
    """An array with a shape and strides but no memory of its own, for planning only."""
    strides = [prod(shape[axis + 1 :]) * dtype.itemsize for axis in range(len(shape))]
    return as_strided(np.empty(1, dtype), shape, strides)


def flattened(x: Array) -> Array | None:
    """N,H,W,C as a view with a row for each position, or None where there are gaps between rows."""
    n, h, w, c = x.shape
    pixel = x.strides[2] if w > 1 else x.strides[1] if h > 1 else x.strides[0]
    if (h > 1 and x.strides[1] != w * pixel) or (n > 1 and x.strides[0] != h * w * pixel):
        return None
    return as_strided(x, (n * h * w, c), (pixel, x.strides[3]))


def merged_rows(x: Array) -> Array:
    """N,H,W,C as N,H,(W C) where the pixels of a row follow each other: longer runs for NumPy's loops."""
    n, h, w, c = x.shape
    if x.strides[3] == x.itemsize and (w == 1 or x.strides[2] == c * x.itemsize):
        return as_strided(x, (n, h, w * c), (*x.strides[:2], x.itemsize))
    return x


def tiled(vector: Array, y: Array) -> Array:
    """A value for each channel, repeated over a row where the rows of y are merged."""
    return np.tile(vector, y.shape[-1] // vector.size) if y.ndim == 3 else vector


def blocks(
    scratch: Scratch, samples: int, rows: int, most_rows: int, unit: int = 1
) -> Iterator[tuple[slice, slice]]:
    """Samples and rows in blocks of at most `most_rows` rows: whole samples together, or parts of one.

    The scratch taken for a block is reused by the next one. The first block is the largest, so that
    scratch is measured for it alone.
    """
    together = max(1, most_rows // rows)
    count = -(-rows // max(unit, most_rows // unit * unit))
    step = -(-rows // (count * unit)) * unit
    for first in range(0, samples, together):
        for row in range(0, rows, step):
            with scratch.lent():
                yield slice(first, min(first + together, samples)), slice(row, min(row + step, rows))
            if scratch.is_measured:
                return
