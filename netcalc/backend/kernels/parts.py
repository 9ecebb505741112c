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
    order = np.argsort(rows, kind="stable")
    found, starts = np.unique(rows[order], return_index=True)
    table = np.zeros((count, values.shape[1]), values.dtype)
    table[found] = np.add.reduceat(values[order], starts, axis=0, dtype=np.result_type(values, np.float32))
    return table
