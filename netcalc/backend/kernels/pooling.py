"""Pooling: maxima and averages over windows, to a fixed size, or over all positions.

A window's cells are walked one at a time, each over all windows together. Nothing is padded: a cell
that lies outside the input is left out of the window.
"""

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped, selected, unary, widened
from netcalc.backend.kernels.mixing import Mixing, along, along_axes, mixed
from netcalc.layers.geometry import adaptive_bounds, cell_positions, output_size
from netcalc.layers.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
)
from netcalc.tensor import TensorType

Sizes = tuple[int, ...]
Index = tuple[Any, ...]


@unary
def maxpool(layer: MaxPool, x: Array) -> Mapped:
    """y[u] = max over k of x[s u + d k - p];  dx[i] += dy[u] for the first i of a window with x[i] = y[u].

    The first is that in the window's row-major order. Where there is NaN in a window, the last has it: both
    as in PyTorch.
    """
    space = layer.infer((TensorType(x.shape[1:]),)).shape[1:]
    offsets = [
        [d * k - before for k in range(kernel)]
        for kernel, d, (before, _) in zip(layer.kernel, layer.dilation, layer.pad, strict=True)
    ]
    y = _maxima(x, space, layer.stride, offsets)
    return y, lambda dy: _to_maxima(dy, x, y, layer.stride, offsets)


@unary
def avgpool(layer: AvgPool, x: Array) -> Mapped:
    """y[u] = sum over k of x[s u + k - p] / cells of the window;  dx[s u + k - p] += dy[u] / cells.

    Cells and windows are products over the axes, so it is the average along one axis after the other.
    """

    def step(x: Array, axis: int) -> Mapped:
        kernel, stride, pad = layer.kernel[axis - 2], layer.stride[axis - 2], layer.pad[axis - 2]
        before, after = pad if layer.count_include_pad else (0, 0)
        size = x.shape[axis]
        starts = np.arange(output_size(size, kernel, stride, pad, ceil=layer.ceil)) * stride - pad[0]
        cells = np.minimum(starts + kernel, size + after) - np.maximum(starts, -before)
        return _average(x, axis, stride, range(-pad[0], kernel - pad[0]), cells)

    return _in_wide_type(x, step)


@unary
def adaptive_maxpool(layer: AdaptiveMaxPool, x: Array) -> Mapped:
    """y[u] = max of x from floor(u W / S) to ceil((u + 1) W / S);  its gradient as that of `maxpool`.

    Each window is laid out on its own, the shorter ones with their last cell repeated, which changes
    neither the maximum nor who is first.
    """
    sizes = layer.infer((TensorType(x.shape[1:]),)).shape[1:]
    bounds = [adaptive_bounds(size, windows) for size, windows in zip(x.shape[2:], sizes, strict=True)]
    kernel = [max(after - first for first, after in own) for own in bounds]

    def step(x: Array, axis: int) -> Mapped:
        windows, cells = bounds[axis - 2], range(kernel[axis - 2])
        positions = [min(first + k, after - 1) for first, after in windows for k in cells]
        entries = ((row, position, 1) for row, position in enumerate(positions))
        return mixed(x, Mixing.of(entries), len(positions), axis)

    offsets = [list(range(k)) for k in kernel]
    y = _maxima(along_axes(x, step)[0], sizes, tuple(kernel), offsets)

    def backward(dy: Array) -> Array:
        wide, spread = along_axes(x, step)
        return spread(_to_maxima(dy, wide, y, tuple(kernel), offsets))

    return y, backward


@unary
def adaptive_avgpool(layer: AdaptiveAvgPool, x: Array) -> Mapped:
    """y[u] = mean of x from floor(u W / S) to ceil((u + 1) W / S);  dx[i] += dy[u] / cells of the window."""
    sizes = layer.infer((TensorType(x.shape[1:]),)).shape[1:]

    def step(x: Array, axis: int) -> Mapped:
        windows = enumerate(adaptive_bounds(x.shape[axis], sizes[axis - 2]))
        entries = ((u, i, 1 / (after - first)) for u, (first, after) in windows for i in range(first, after))
        return mixed(x, Mixing.of(entries), sizes[axis - 2], axis)

    return _in_wide_type(x, step)


@unary
def global_avgpool(layer: GlobalAvgPool, x: Array) -> Mapped:
    """y = mean of x;  dx = dy / positions."""
    shape, axes = x.shape, tuple(range(2, x.ndim))
    y = widened(x).mean(axes, keepdims=layer.keep).astype(x.dtype, copy=False)
    positions = prod(shape[2:])

    def backward(dy: Array) -> Array:
        return np.broadcast_to(dy.reshape(*shape[:2], *(1,) * len(axes)) / positions, shape)

    return y, backward


@unary
def global_maxpool(layer: GlobalMaxPool, x: Array) -> Mapped:
    """y = max of x;  dx = dy at the first of the largest, or at the last NaN."""
    shape = x.shape
    rows = x.reshape(*shape[:2], -1)
    winners = rows.argmax(2, keepdims=True)
    y = np.take_along_axis(rows, winners, 2)
    if np.isnan(y).any():
        last = rows.shape[2] - 1 - np.isnan(rows[..., ::-1]).argmax(2, keepdims=True)
        winners = np.where(np.isnan(y), last, winners)

    def backward(dy: Array) -> Array:
        dx = np.zeros((*shape[:2], prod(shape[2:])), dy.dtype)
        np.put_along_axis(dx, winners, dy.reshape(winners.shape), 2)
        return dx.reshape(shape)

    return y.reshape(*x.shape[:2], *(1,) * (x.ndim - 2) if layer.keep else ()), backward


def _maxima(x: Array, space: Sizes, stride: Sizes, offsets: list[list[int]]) -> Array:
    """y[u] = max over the offsets o of x[s u + o]."""
    y = np.full((*x.shape[:2], *space), -np.inf, x.dtype)
    for windows, cells in _cells(x.shape[2:], space, stride, offsets):
        np.maximum(y[windows], x[cells], out=y[windows])
    return y


def _to_maxima(dy: Array, x: Array, y: Array, stride: Sizes, offsets: list[list[int]]) -> Array:
    """dx for these y, by comparing each cell with its window's maximum."""
    dx = np.zeros(x.shape, dy.dtype)
    unclaimed = np.ones(y.shape, bool)
    pairs = list(_cells(x.shape[2:], y.shape[2:], stride, offsets))

    def claim(windows: Index, cells: Index, claims: Array) -> None:
        claims &= unclaimed[windows]
        unclaimed[windows] ^= claims
        dx[cells] += selected(claims, dy[windows])

    for windows, cells in pairs:
        claim(windows, cells, x[cells] == y[windows])
    if np.isnan(y).any():
        for windows, cells in reversed(pairs):
            claim(windows, cells, np.isnan(x[cells]))
    return dx


def _cells(
    size: Sizes, space: Sizes, stride: Sizes, offsets: list[list[int]]
) -> Iterator[tuple[Index, Index]]:
    """For each cell in row-major order the index of the windows that have it, and of their inputs."""
    axes = [
        [cell_positions(n, outputs, step, offset) for offset in own]
        for n, outputs, step, own in zip(size, space, stride, offsets, strict=True)
    ]
    for pairs in product(*axes):
        yield (..., *(windows for windows, _ in pairs)), (..., *(cells for _, cells in pairs))


def _in_wide_type(x: Array, step: Callable[[Array, int], Mapped]) -> Mapped:
    """A function of one axis done along each in turn, float16 in float32."""
    dtype = x.dtype
    y, backward = along_axes(widened(x), step)
    return y.astype(dtype, copy=False), lambda dy: backward(widened(dy)).astype(dtype, copy=False)


def _average(x: Array, axis: int, stride: int, offsets: range, cells: Array) -> Mapped:
    """y[u] = sum over the offsets o of x[s u + o], divided by the window's cells, along one axis."""
    size, rest = x.shape[axis], (slice(None),) * axis
    pairs = [
        ((*rest, windows), (*rest, inputs))
        for windows, inputs in (cell_positions(size, len(cells), stride, o) for o in offsets)
    ]
    divisors = along(cells, axis, x)
    y = np.zeros((*x.shape[:axis], len(cells), *x.shape[axis + 1 :]), x.dtype)
    for windows, inputs in pairs:
        y[windows] += x[inputs]
    y /= divisors

    def backward(dy: Array) -> Array:
        dx = np.zeros((*dy.shape[:axis], size, *dy.shape[axis + 1 :]), dy.dtype)
        share = dy / divisors
        for windows, inputs in pairs:
            dx[inputs] += share[windows]
        return dx

    return y, backward
