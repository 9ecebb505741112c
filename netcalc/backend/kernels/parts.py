"""Functions that kernels of several families share; those with a backward return it with the result."""

from collections.abc import Callable

import numpy as np

from netcalc.backend.kernels.base import Array

AffineBackward = Callable[[Array], tuple[Array, tuple[Array, ...]]]


def affine(x: Array, weight: Array, *bias: Array, frozen: bool = False) -> tuple[Array, AffineBackward]:
    """y = x W^T + b over the last axis, b left out where none is given.

    dx = dy W;  dW = dy^T x and db = sum of dy, over all positions: as many as were given, none where frozen.
    """
    shape = x.shape
    y = _rows(x) @ weight.T
    for vector in bias:
        y += vector

    def input_gradient(dy: Array) -> tuple[Array, tuple[Array, ...]]:
        return (_rows(dy) @ weight).reshape(shape), ()

    def backward(dy: Array) -> tuple[Array, tuple[Array, ...]]:
        rows = _rows(dy)
        return input_gradient(dy)[0], (rows.T @ _rows(x), *(summed(rows, 0) for _ in bias))

    return y.reshape(*shape[:-1], -1), input_gradient if frozen else backward


def _rows(x: Array) -> Array:
    """All positions below one another, a copy where x does not lie so."""
    return x.reshape(-1, x.shape[-1])


def summed(x: Array, axis: int | tuple[int, ...], keepdims: bool = False) -> Array:
    """The sum along axes, in x's type but taken in float32 at least."""
    y: Array = x.sum(axis=axis, dtype=np.result_type(x, np.float32), keepdims=keepdims)
    return y.astype(x.dtype, copy=False)


def summed_rows(values: Array, rows: Array, count: int) -> Array:
    """The gradient of a table of `count` rows, whose row rows[i] was read where the gradient is values[i]."""
    wide = np.result_type(values, np.float32)
    table = np.empty((count, values.shape[1]), wide)
    SortedRows(rows).sum(values.astype(wide, copy=False), np.empty(values.shape, wide), out=table)
    return table.astype(values.dtype, copy=False)


class SortedRows:
    """Rows of a table that were read, sorted so that equal ones follow each other."""

    def __init__(self, rows: Array) -> None:
        self.order = np.argsort(rows, kind="stable")
        found = rows[self.order]
        is_first = np.concatenate(([True], found[1:] != found[:-1]))
        self.starts = np.flatnonzero(is_first)
        self.found = found[self.starts]
        counts = np.diff(self.starts, append=len(rows))
        self._rank = np.arange(len(rows)) - np.repeat(self.starts, counts)
        self._left = np.repeat(counts, counts) - self._rank

    def sum(self, values: Array, ordered: Array, out: Array) -> None:
        """Each row of the table: the sum of the values where it was read. `ordered` is for their copy.

        Pairs of values are added, then pairs of pairs, for all rows of the table at once.
        """
        np.take(values, self.order, axis=0, out=ordered, mode="clip")
        distance = 1
        while len(first := np.flatnonzero((self._rank % (2 * distance) == 0) & (self._left > distance))):
            ordered[first] += ordered[first + distance]
            distance *= 2
        out[...] = 0
        out[self.found] = ordered[self.starts]
