"""Convolutions, written as the sum over the kernel's cells that their formula is.

Each cell of the kernel multiplies a strided view of the padded input, one matrix product for all samples
and positions. The network's own fast plan is tested against these.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from netcalc.backend.kernels.base import Array, Arrays, Backward, Context, Gradients, per_channel
from netcalc.backend.kernels.padding import inner, padded, unpadded
from netcalc.layers.convolution import Conv, ConvTranspose, DepthwiseConv
from netcalc.layers.geometry import transposed_size

Cell = tuple[int, ...]
Index = tuple[Any, ...]


def convolution(
    layer: Conv | DepthwiseConv, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y[o, u] = b[o] + sum over c, k of W[o, c, k] x[c, s u + d k - p], each group on its own.

    dW[o, c, k] = sum over u of dy[o, u] x[c, s u + d k - p];  dx[c, s u + d k - p] += W[o, c, k] dy[o, u].
    """
    (x,) = xs
    weight = params["weight"]
    groups = layer.in_groups(x.shape[1])
    wide = padded(x, layer.pad, layer.padding_mode)
    space = layer.sliding_window().output_sizes(x.shape[2:])
    views = list(_cells(layer.kernel, layer.stride, layer.dilation, space))
    matrices = _by_cell(weight, groups)
    y = np.zeros((x.shape[0], weight.shape[0], *space), np.result_type(x, weight))
    for cell, view in views:
        y += _mixed(matrices[cell], wide[view], groups)
    if layer.bias:
        y += per_channel(params["bias"], x.ndim)

    def backward(dy: Array) -> Gradients:
        wide = padded(x, layer.pad, layer.padding_mode)
        dwide = np.zeros_like(wide)
        matrices = _by_cell(weight, groups)
        dmatrices = np.empty_like(matrices)
        for cell, view in views:
            dwide[view] += _mixed(matrices[cell].swapaxes(1, 2), dy, groups)
            if not context.frozen:
                dmatrices[cell] = _correlated(dy, wide[view], groups)
        gradients = {} if context.frozen else {"weight": _whole(dmatrices)}
        if layer.bias and not context.frozen:
            gradients["bias"] = dy.sum(axis=(0, *range(2, dy.ndim)))
        return (unpadded(dwide, layer.pad, layer.padding_mode),), gradients

    return y, backward


def transposed_convolution(
    layer: ConvTranspose, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y[o, s u + d k - p] += W[c, o, k] x[c, u]: the gradient of a convolution, run forward.

    dx[c, u] = sum over o, k of W[c, o, k] dy[o, s u + d k - p];  dW[c, o, k] = sum over u of
    x[c, u] dy[o, s u + d k - p].
    """
    (x,) = xs
    weight = params["weight"]
    space = x.shape[2:]
    sizes = [
        max(transposed_size(size, kernel, stride, (0, 0), dilation, extra), before + after)
        for size, kernel, stride, dilation, extra, (before, after) in zip(
            space, layer.kernel, layer.stride, layer.dilation, layer.output_pad, layer.pad, strict=True
        )
    ]
    views = list(_cells(layer.kernel, layer.stride, layer.dilation, space))
    matrices = _by_cell(weight, layer.groups)
    wide = np.zeros((x.shape[0], layer.filters, *sizes), np.result_type(x, weight))
    for cell, view in views:
        wide[view] += _mixed(matrices[cell].swapaxes(1, 2), x, layer.groups)
    y = wide[inner(layer.pad)]
    if layer.bias:
        y = y + per_channel(params["bias"], x.ndim)

    def backward(dy: Array) -> Gradients:
        dwide = padded(dy, layer.pad)
        dx = np.zeros_like(x)
        matrices = _by_cell(weight, layer.groups)
        dmatrices = np.empty_like(matrices)
        for cell, view in views:
            dx += _mixed(matrices[cell], dwide[view], layer.groups)
            dmatrices[cell] = _correlated(x, dwide[view], layer.groups)
        gradients = {"weight": _whole(dmatrices)}
        if layer.bias:
            gradients["bias"] = dy.sum(axis=(0, *range(2, dy.ndim)))
        return (dx,), gradients

    return y, backward


def _cells(kernel: Cell, stride: Cell, dilation: Cell, space: Cell) -> Iterator[tuple[Cell, Index]]:
    """Each kernel cell and the index of the inputs it multiplies."""
    for cell in product(*map(range, kernel)):
        first = [k * d for k, d in zip(cell, dilation, strict=True)]
        ranges = (slice(f, f + s * (n - 1) + 1, s) for f, s, n in zip(first, stride, space, strict=True))
        yield cell, (..., *ranges)


def _by_cell(weight: Array, groups: int) -> Array:
    """The weights of each cell together: k..., groups, out of each group, in of each group."""
    grouped = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    return np.moveaxis(grouped, (0, 1, 2), (-3, -2, -1)).copy()


def _whole(matrices: Array) -> Array:
    """The weight whose cells these are."""
    grouped = np.moveaxis(matrices, (-3, -2, -1), (0, 1, 2))
    return grouped.reshape(-1, *grouped.shape[2:])


def _mixed(matrices: Array, x: Array, groups: int) -> Array:
    """Each group's matrix (groups, out, in) times its channels at every position."""
    columns = x.reshape(x.shape[0], groups, x.shape[1] // groups, -1)
    return (matrices @ columns).reshape(x.shape[0], -1, *x.shape[2:])


def _correlated(y: Array, x: Array, groups: int) -> Array:
    """Per group the products of y's channels and x's, summed over samples and positions."""
    rows = np.moveaxis(y.reshape(y.shape[0], groups, y.shape[1] // groups, -1), 0, 2)
    columns = np.moveaxis(x.reshape(x.shape[0], groups, x.shape[1] // groups, -1), 0, 2)
    flat = (groups, -1, rows.shape[2] * rows.shape[3])
    return rows.reshape(flat) @ columns.reshape(flat).swapaxes(1, 2)
