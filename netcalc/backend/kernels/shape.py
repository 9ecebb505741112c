"""Layers that rearrange or pad: dx is dy rearranged back."""

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped, unary
from netcalc.backend.kernels.padding import padded, unpadded
from netcalc.layers.geometry import resolve_axis
from netcalc.layers.padding import Pad
from netcalc.layers.shape import (
    ChannelShuffle,
    Flatten,
    Identity,
    Permute,
    Reshape,
    Roll,
    Squeeze,
    Unsqueeze,
)
from netcalc.tensor import TensorType


@unary
def identity(layer: Identity, x: Array) -> Mapped:
    """y = x;  dx = dy."""
    return x, lambda dy: dy


@unary
def reshaped(layer: Flatten | Reshape | Squeeze | Unsqueeze, x: Array) -> Mapped:
    """The same elements in the same order, in the shape that the layer infers."""
    before, after = x.shape, layer.infer((TensorType(x.shape[1:]),)).shape
    return x.reshape(x.shape[0], *after), lambda dy: dy.reshape(before)


@unary
def permute(layer: Permute, x: Array) -> Mapped:
    """Axis i of y is axis order[i] of x, and of dx the axis of dy where it went."""
    order = [0, *(resolve_axis(axis, x.ndim - 1, "order") + 1 for axis in layer.order)]
    back = np.argsort(order)
    return x.transpose(order), lambda dy: dy.transpose(back)


@unary
def pad(layer: Pad, x: Array) -> Mapped:
    """Cells around the spatial axes;  dx is dy without them, theirs added to the cells that they repeat."""
    return padded(x, layer.pad, layer.mode, layer.value), lambda dy: unpadded(dy, layer.pad, layer.mode)


@unary
def roll(layer: Roll, x: Array) -> Mapped:
    """y[i] = x[(i - shift) mod size];  dx[i] = dy[(i + shift) mod size]."""
    axes = tuple(range(1, len(layer.shift) + 1))
    back = tuple(-shift for shift in layer.shift)
    return np.roll(x, layer.shift, axes), lambda dy: np.roll(dy, back, axes)


@unary
def channel_shuffle(layer: ChannelShuffle, x: Array) -> Mapped:
    """Channel i of g groups of n goes to (i mod n) g + i // n;  dx is dy shuffled with n groups."""
    size = x.shape[1] // layer.groups
    return _dealt(x, layer.groups), lambda dy: _dealt(dy, size)


def _dealt(x: Array, groups: int) -> Array:
    grouped = x.reshape(x.shape[0], groups, -1, *x.shape[2:])
    return grouped.swapaxes(1, 2).reshape(x.shape)
