"""Positions along an axis mixed by weights, most of them zero: what resampling and adaptive pools share."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped


class Mixing(NamedTuple):
    """A sparse matrix, as entries side by side: output `rows[i]` takes `weights[i]` of `columns[i]`."""

    rows: Array
    columns: Array
    weights: Array

    @classmethod
    def of(cls, entries: Iterable[tuple[int, int, float]]) -> "Mixing":
        """From triples of row, column and weight."""
        rows, columns, weights = zip(*entries, strict=True)
        return cls(np.array(rows), np.array(columns), np.array(weights, float))

    def transposed(self) -> "Mixing":
        """The transposed matrix, for backward."""
        return Mixing(self.columns, self.rows, self.weights)


def mixed(x: Array, mixing: Mixing, outputs: int, axis: int) -> Mapped:
    """y = M x along an axis;  dx = M^T dy."""
    size = x.shape[axis]
    return _product(mixing, x, outputs, axis), lambda dy: _product(mixing.transposed(), dy, size, axis)


def along_axes(x: Array, step: Callable[[Array, int], Mapped]) -> Mapped:
    """A function of one axis, done along each spatial axis of N,C,... in turn."""
    ways = []
    for axis in range(2, x.ndim):
        x, way = step(x, axis)
        ways.append(way)

    def backward(dy: Array) -> Array:
        for way in reversed(ways):
            dy = way(dy)
        return dy

    return x, backward


def along(vector: Array, axis: int, x: Array) -> Array:
    """A vector shaped to stretch over every axis of x but one, in x's type."""
    return vector.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - axis - 1))


def _product(mixing: Mixing, x: Array, outputs: int, axis: int) -> Array:
    """Each row's first entry, then the second of those that have two, and so on, all rows together."""
    order = np.argsort(mixing.rows, kind="stable")
    counts = np.bincount(mixing.rows, minlength=outputs)
    firsts = np.cumsum(counts) - counts
    y = np.zeros((*x.shape[:axis], outputs, *x.shape[axis + 1 :]), x.dtype)
    for number in range(counts.max()):
        rows = np.flatnonzero(counts > number)
        entries = order[firsts[rows] + number]
        part = np.take(x, mixing.columns[entries], axis)
        weights = mixing.weights[entries]
        if (weights != 1).any():
            part *= along(weights, axis, x)
        if len(rows) == outputs:
            y += part
        else:
            np.moveaxis(y, axis, 0)[rows] += np.moveaxis(part, axis, 0)
    return y
