"""Positions taken along an axis, their gradient brought back, and one axis after the other."""

from collections.abc import Callable, Sequence

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped


def gathered(x: Array, positions: Sequence[int], axis: int) -> Mapped:
    """y[u] = x[positions[u]] along an axis;  dx[i] = sum of dy[u] over the u with positions[u] = i."""
    size = x.shape[axis]
    if list(positions) == list(range(size)):
        return x, lambda dy: dy
    order = np.argsort(positions, kind="stable")
    taken, firsts = np.unique(np.take(positions, order), return_index=True)

    def backward(dy: Array) -> Array:
        sums = np.add.reduceat(np.take(dy, order, axis), firsts, axis)
        if len(taken) == size:
            return sums
        dx = np.zeros((*dy.shape[:axis], size, *dy.shape[axis + 1 :]), dy.dtype)
        np.moveaxis(dx, axis, 0)[taken] = np.moveaxis(sums, axis, 0)
        return dx

    return np.take(x, positions, axis), backward


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


def along(vector: Array, axis: int, rank: int) -> Array:
    """A vector shaped to stretch over every axis but one."""
    return vector.reshape(-1, *(1,) * (rank - axis - 1))
