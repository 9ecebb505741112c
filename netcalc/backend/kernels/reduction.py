"""Whole axes taken together."""

from math import prod

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped, unary, widened
from netcalc.layers.geometry import resolve_axis
from netcalc.layers.reduction import Reduce


@unary
def reduce(layer: Reduce, x: Array) -> Mapped:
    """y = mean, sum or max of x.

    mean: dx = dy / elements;  sum: dx = dy;  max: dx = dy shared equally by the largest, as PyTorch's amax.
    """
    axes = tuple(resolve_axis(axis, x.ndim - 1, "axes") + 1 for axis in layer.axes)
    if layer.how == "max":
        return _largest(x, axes, layer.keep)
    shape = x.shape
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    divisor = prod(x.shape[axis] for axis in axes) if layer.how == "mean" else 1
    y = widened(x).sum(axes, keepdims=layer.keep) / divisor

    def backward(dy: Array) -> Array:
        return np.broadcast_to(dy.reshape(kept) / divisor, shape)

    return y.astype(x.dtype, copy=False), backward


def _largest(x: Array, axes: tuple[int, ...], keep: bool) -> Mapped:
    y = x.max(axes, keepdims=True)

    def backward(dy: Array) -> Array:
        largest = x == y
        shares = largest.sum(axes, keepdims=True).astype(dy.dtype)
        dx: Array = largest * (dy.reshape(y.shape) / shares)
        return dx

    return y if keep else y.squeeze(axes), backward
