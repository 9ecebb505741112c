"""Layers that take a part of a tensor: y = x[part];  dx is dy there and 0 elsewhere."""

from typing import Any

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped, unary
from netcalc.layers.cutting import Crop, Slice, Split
from netcalc.layers.geometry import resolve_axis


@unary
def crop(layer: Crop, x: Array) -> Mapped:
    """What lies inside the sides that the layer cuts off."""
    inside = (
        slice(before, size - after)
        for size, (before, after) in zip(x.shape[2:], layer.sides(x.shape[2:]), strict=True)
    )
    return _part(x, (..., *inside))


@unary
def slice_axis(layer: Slice, x: Array) -> Mapped:
    """Every `step`-th position of an axis, from `start` to before `end`."""
    axis = resolve_axis(layer.axis, x.ndim - 1, "axis") + 1
    return _part(x, (*(slice(None),) * axis, slice(layer.start, layer.end, layer.step)))


@unary
def split(layer: Split, x: Array) -> Mapped:
    """The piece numbered `part` of an axis in equal pieces."""
    axis = resolve_axis(layer.axis, x.ndim - 1, "axis") + 1
    size = x.shape[axis] // layer.parts
    return _part(x, (*(slice(None),) * axis, slice(layer.part * size, (layer.part + 1) * size)))


def _part(x: Array, part: tuple[Any, ...]) -> Mapped:
    shape = x.shape

    def backward(dy: Array) -> Array:
        dx = np.zeros(shape, dy.dtype)
        dx[part] = dy
        return dx

    return x[part], backward
