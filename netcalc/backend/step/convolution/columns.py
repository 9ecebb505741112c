"""Convolutions by columns that are built along the rows only, in one group or several.

An image is stored as rows H of C, W, N. Shifted by each cell of the kernel's width, a row gives the
columns (C, kw) x (W, N), which are copied in long runs; the cells of the kernel's height need no copy,
since they read whole rows:

    y[o, h] = sum over i of W[o, :, i, :] columns[s h + i]

That is kw copies of the input where im2col (Chellapilla et al. 2006) makes kh kw. There are two ways to sum
over i:

- products: W[:, :, i, :] times some rows for each i, and their sum. For stride 1. The rows are taken in
  blocks, so that a block's columns are in the cache when they are multiplied.
- windows: kh consecutive rows are one matrix already, (kh, C, kw) x (W, N). For any stride, and where
  C kw is so small that a product over it alone would mostly write results.

A volume D, C, H, W, N is the same with slices for rows, and the cells of the kernel's area for those of its
width. Each group has columns of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import pixels
from netcalc.backend.step.operations import Runtime
from netcalc.backend.step.windows import WindowAxis

Copies = list[tuple[Array, Array]]
Axes = Sequence[WindowAxis]
"""The windows along the rows, then along the axes within a row."""
Call = Callable[[], object]
_FEWEST_SUMMED = 32
"""A product over fewer terms spends its time on writing results."""
_BLOCK_ELEMENTS = 2**17
"""Of columns."""
_SMALL_PRODUCT = 10**6
"""Multiply-adds up to which OpenBLAS multiplies in place; for larger ones it copies both matrices first."""


class Columns:
    """The columns of one worker's image: groups G of rows R of C/G, k, W', N, the padding's rows around them.

    k are the cells of the kernel within a row.
    """

    def __init__(
        self, runtime: Runtime, worker: int, x: Array, axes: Axes, outputs: Sequence[int], groups: int
    ) -> None:
        rows, *within = axes
        read = in_groups(x, groups)
        height, channels, batch = len(x), read.shape[2], x.shape[-1]
        self._cells, self._before = prod(axis.kernel for axis in within), rows.before
        purpose = f"columns of {axes} in {groups}"  # the padding's zeros stay from one use to the next
        shape = groups, rows.before + height + rows.after, channels, self._cells, *outputs, batch
        self.array = runtime.scratch(purpose, worker, *shape)
        inside = self.array[:, rows.before : rows.before + height]
        if within[-1].stride > 1:
            inside, read = pixels(inside), pixels(read)
        self._copies: Copies = [
            (inside[:, :, :, number, *columns], read[:, :, :, *positions])
            for number, columns, positions in cells_within(within, outputs)
        ]

    def fill(self) -> None:
        for call in self.copies(0, self.array.shape[1]):
            call()

    def copies(self, first: int, last: int) -> Iterator[Call]:
        """The calls that fill the rows from `first` up to `last`, the padding's rows counted."""
        inside = slice(max(0, first - self._before), max(0, last - self._before))
        for target, source in self._copies:
            if target[:, inside].size:
                yield partial(np.copyto, target[:, inside], source[:, inside])

    def rows(self) -> Array:
        """For each group R matrices of (C/G, k) x (W', N)."""
        groups, count, channels = self.array.shape[:3]
        return self.array.reshape(groups, count, channels * self._cells, -1, copy=False)

    def windows(self, kernel: int, stride: int) -> Array:
        """A matrix (kh, C/G, k) x (W', N) for each group and row of the output; they overlap in memory."""
        rows = self.rows()
        count = (rows.shape[1] - kernel) // stride + 1
        by_group, by_row, *inner = rows.strides
        shape = (len(rows), count, kernel * rows.shape[2], rows.shape[3])
        return as_strided(rows, shape, (by_group, stride * by_row, *inner), writeable=False)


class ColumnCorrelation:
    """y[o, h, w] = sum over c, i, j of W[o, c, i, j] x[c, s h + i - p, s' w + j - p'], for one worker.

    `weight` is a view G,O/G,C/G,kh,kw, read at each call. Forward this is the layer itself; backward, at
    stride 1, its kernel flipped and transposed, on the gradient.
    """

    def __init__(self, runtime: Runtime, worker: int, x: Array, y: Array, weight: Array, axes: Axes) -> None:
        rows, *_ = axes
        groups, filters, channels, kernel, *within = weight.shape
        self.columns = Columns(runtime, worker, x, axes, y.shape[2:-1], groups)
        self._y = as_matrices(y, groups)
        rest = range(4, weight.ndim)
        self._blocks: list[tuple[slice, list[Call]]]
        """For some rows of y at a time the calls that compute them."""
        if rows.stride == 1 and channels * prod(within) >= _FEWEST_SUMMED and kernel > 1:
            self._weight = weight.transpose(0, 3, 1, 2, *rest)
            self._matrix = runtime.scratch("kernel by its rows", worker, *self._weight.shape)
            self._blocks = list(self._products(runtime, worker, rows))
        else:
            self._weight = weight.transpose(0, 1, 3, 2, *rest)
            self._matrix = runtime.scratch("kernel by its filters", worker, *self._weight.shape)
            matrices = self._matrix.reshape(groups, 1, filters, -1, copy=False)
            windows = self.columns.windows(kernel, rows.stride)
            calls: list[Call] = [self.columns.fill, partial(np.matmul, matrices, windows, self._y)]
            self._blocks = [(slice(None), calls)]

    def _products(
        self, runtime: Runtime, worker: int, rows: WindowAxis
    ) -> Iterator[tuple[slice, list[Call]]]:
        """Blocks of rows, each a product for every row of the kernel and their sum."""
        groups, height, filters, positions = self._y.shape
        kernel, columns = self._matrix.shape[1], self.columns.rows()
        most = max(1, min(height, _BLOCK_ELEMENTS // max(1, columns[:, 0].size)))
        is_stacked = filters * columns.shape[2] * positions > _SMALL_PRODUCT
        if is_stacked:
            shape = groups, columns.shape[1], kernel * filters, positions
            products = runtime.scratch(f"products of {rows}", worker, *shape)  # of the padding they stay zero
        else:
            products = runtime.scratch("products of rows", worker, groups, most, filters, positions)
        filled = 0
        for first in range(0, height, most):
            last = min(height, first + most)
            calls = list(self.columns.copies(filled, last + kernel - 1))
            y = self._y[:, first:last]
            if is_stacked:
                inside = slice(max(filled, rows.before), min(last + kernel - 1, rows.before + rows.size))
                calls += self._stacked(columns[:, inside], products[:, inside], y, products[:, first:])
            else:
                calls += self._one_by_one(columns[:, first:], y, products[:, : last - first])
            filled = last + kernel - 1
            yield slice(first, last), calls

    def _stacked(self, read: Array, written: Array, y: Array, products: Array) -> Iterator[Call]:
        """One product by all rows of the kernel, and the sum of rows of it."""
        groups, kernel, filters = self._matrix.shape[:3]
        matrices = self._matrix.reshape(groups, 1, kernel * filters, -1, copy=False)
        if read.size:
            yield partial(np.matmul, matrices, read, written)
        first, second, *others = (
            products[:, i : i + y.shape[1], i * filters : (i + 1) * filters] for i in range(kernel)
        )
        yield partial(np.add, first, second, y)
        for other in others:
            yield partial(np.add, y, other, y)

    def _one_by_one(self, columns: Array, y: Array, product: Array) -> Iterator[Call]:
        """A product by each row of the kernel, added to the others."""
        groups, kernel, filters = self._matrix.shape[:3]
        matrices = self._matrix.reshape(groups, kernel, 1, filters, -1, copy=False)
        for i in range(kernel):
            read = columns[:, i : i + y.shape[1]]
            yield partial(np.matmul, matrices[:, i], read, product if i else y)
            if i:
                yield partial(np.add, y, product, y)

    def run(self) -> None:
        np.copyto(self._matrix, self._weight)
        for _, calls in self._blocks:
            for call in calls:
                call()

    def also(self, windows: Array, rows: Array, products: Array) -> None:
        """Multiply windows of the columns by rows^T as well, each block while it is in the cache."""
        for part, calls in self._blocks:
            calls.append(
                partial(np.matmul, windows[:, part], rows[:, part].swapaxes(2, 3), products[:, part])
            )


class Col2im:
    """dx[c, s h + i - p, s' w + j - p'] += sum over o of W[o, c, i, j] dy[o, h, w], for one worker."""

    def __init__(
        self, runtime: Runtime, worker: int, dy: Array, dx: Array, weight: Array, axes: Axes
    ) -> None:
        rows, *within = axes
        groups, _, channels, kernel, *_ = weight.shape
        self._weight = weight.transpose(0, *range(3, weight.ndim), 2, 1)
        self._matrix = runtime.scratch("kernel in the order of columns", worker, *self._weight.shape)
        self._dy = as_matrices(dy, groups)
        height, outputs, batch = len(dy), dy.shape[2:-1], dy.shape[-1]
        cells = prod(axis.kernel for axis in within)
        shape = groups, height, kernel, cells, channels, *outputs, batch
        self._products = runtime.scratch("products of cells", worker, *shape)
        self._dx = dx
        added = in_groups(dx, groups)
        self._sums: Copies = []
        for i in range(kernel):
            above, met = rows.cell_positions(i, height)
            for number, beside, columns in cells_within(within, outputs):
                source = self._products[:, above, i, number][:, :, :, *beside]
                self._sums.append((added[:, met][:, :, :, *columns], source))

    def run(self) -> None:
        np.copyto(self._matrix, self._weight)
        groups, _, filters, _ = self._dy.shape
        flat = self._products.reshape(groups, self._dy.shape[1], -1, self._dy.shape[3], copy=False)
        np.matmul(self._matrix.reshape(groups, 1, -1, filters, copy=False), self._dy, out=flat)
        self._dx[...] = 0
        for target, source in self._sums:
            np.add(target, source, out=target)


def products_of_weights(windows: Array, rows: Array, runtime: Runtime, worker: int) -> Array:
    """Where the products windows[g, h] rows[g, h]^T are written, whose sum over h is a weights' gradient."""
    shape = (*rows.shape[:2], windows.shape[2], rows.shape[2])
    return runtime.scratch("products of weights", worker, *shape)


def flipped(weight: Array) -> Array:
    """A view of a kernel G,O/G,C/G,k... as G,C/G,O/G,k... with its cells in reverse."""
    cells = (slice(None, None, -1),) * (weight.ndim - 3)
    return weight[:, :, :, *cells].swapaxes(1, 2)


def in_groups(array: Array, groups: int) -> Array:
    """A view of an array H,C,...,N as G,H,C/G,...,N."""
    height, channels, *rest = array.shape
    return array.reshape(height, groups, channels // groups, *rest, copy=False).swapaxes(0, 1)


def as_matrices(array: Array, groups: int) -> Array:
    """A view of an array H,C,...,N as G,H matrices C/G x (...,N)."""
    return in_groups(array.reshape(*array.shape[:2], -1, copy=False), groups)


def cells_within(
    axes: Axes, outputs: Sequence[int]
) -> Iterator[tuple[int, tuple[Any, ...], tuple[Any, ...]]]:
    """Each cell of a kernel within a row: its number, the outputs it is inside for, the inputs they read."""
    for number, cell in enumerate(product(*(range(axis.kernel) for axis in axes))):
        pairs = [axis.cell_positions(k, size) for axis, k, size in zip(axes, cell, outputs, strict=True)]
        yield number, tuple(windows for windows, _ in pairs), tuple(read for _, read in pairs)
