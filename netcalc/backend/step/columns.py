"""Convolutions over images, by columns along the rows alone.

An image is kept as rows H of C, W, N. Shifted by each cell of the kernel's width, a row gives the
columns (C, kw) x (W, N), whose copies are long runs; a kernel's cells above each other need no copy,
since they meet whole rows:

    y[o, h] = sum over i of W[o, :, i, :] columns[s h + i]

That is kw copies of the input where im2col (Chellapilla et al. 2006) makes kh kw. All rows are one
batched product, in tiles that the cache holds. Two ways to sum over i, by what suits the product:

- products: all W[:, :, i, :] stacked, times each row once; then kh sums of rows. For stride 1.
- windows: kh rows that follow each other are one matrix already, (kh, C, kw) x (W, N). For any stride,
  and where C kw is so small that a product over it alone would be idle.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.base import Workshop

Copies = list[tuple[Array, Array]]
_FEWEST_SUMMED = 32
"""Below so many terms a product spends its time on writing results."""


class Axis(NamedTuple):
    """A kernel along one axis."""

    size: int
    kernel: int
    stride: int
    before: int
    behind: int
    dilation: int = 1

    def meeting(self, cell: int, outputs: int) -> tuple[slice, slice]:
        """The outputs for which a cell of the kernel lies on the input, and the inputs it meets there."""
        offset = self.dilation * cell - self.before
        first = max(0, -(offset // self.stride))
        behind = min(outputs, (self.size - 1 - offset) // self.stride + 1)
        behind = max(first, behind)
        start = self.stride * first + offset
        stop = self.stride * (behind - 1) + offset + 1
        return slice(first, behind), slice(start, max(start, stop), self.stride)


class Columns:
    """The columns of one worker's image: rows R of C, kw, W', N with the rows of the padding around."""

    def __init__(self, shop: Workshop, worker: int, x: Array, rows: Axis, width: Axis, outputs: int) -> None:
        height, channels, _, batch = x.shape
        purpose = f"columns of {rows} and {width}"  # the padding's zeros stay from one use to the next
        shape = rows.before + height + rows.behind, channels, width.kernel, outputs, batch
        self.array = shop.scratch(purpose, worker, *shape)
        inside = self.array[rows.before : rows.before + height]
        self._copies: Copies = []
        for cell in range(width.kernel):
            columns, cells = width.meeting(cell, outputs)
            self._copies.append((inside[:, :, cell, columns], x[:, :, cells]))

    def fill(self) -> None:
        for target, source in self._copies:
            np.copyto(target, source)

    def rows(self) -> Array:
        """R matrices of (C, kw) x (W', N)."""
        count, channels, kernel = self.array.shape[:3]
        return self.array.reshape(count, channels * kernel, -1, copy=False)

    def windows(self, kernel: int, stride: int) -> Array:
        """A matrix (kh, C, kw) x (W', N) for each row of the output; they overlap in memory."""
        rows = self.rows()
        count = (len(rows) - kernel) // stride + 1
        by_row, *inner = rows.strides
        shape = (count, kernel * rows.shape[1], rows.shape[2])
        return as_strided(rows, shape, (stride * by_row, *inner), writeable=False)


class Correlation:
    """y[o, h, w] = sum over c, i, j of W[o, c, i, j] x[c, s h + i - p, s' w + j - p'], for one worker.

    `weight` is a view O,C,kh,kw, read at each call. Forward that is the layer itself; backward, at
    stride 1, its kernel turned round and transposed, on the gradient.
    """

    def __init__(
        self, shop: Workshop, worker: int, x: Array, y: Array, weight: Array, rows: Axis, width: Axis
    ) -> None:
        self.columns = Columns(shop, worker, x, rows, width, y.shape[2])
        self._y = y.reshape(*y.shape[:2], -1, copy=False)
        filters, channels, kernel, _ = weight.shape
        if rows.stride == 1 and channels * width.kernel >= _FEWEST_SUMMED and kernel > 1:
            self._weight = weight.transpose(2, 0, 1, 3)
            inside = slice(rows.before, rows.before + rows.size)
            self._x = self.columns.rows()[inside]
            shape = len(self.columns.array), kernel * filters, self._x.shape[2]
            self._products = shop.scratch(f"products of {rows}", worker, *shape)
            self._inside = self._products[inside]
        else:
            self._weight = weight.transpose(0, 2, 1, 3)
            self._x = self.columns.windows(kernel, rows.stride)
            self._products = self._inside = self._y
        self._matrix = shop.scratch("kernel in the order of columns", worker, *self._weight.shape)

    def run(self) -> None:
        self.columns.fill()
        np.copyto(self._matrix, self._weight)
        np.matmul(self._matrix.reshape(-1, self._x.shape[1], copy=False), self._x, out=self._inside)
        if self._products is not self._y:
            height, filters, _ = self._y.shape
            kernel = self._products.shape[1] // filters
            terms = [self._products[i : i + height, i * filters : (i + 1) * filters] for i in range(kernel)]
            np.add(terms[0], terms[1], out=self._y)
            for term in terms[2:]:
                np.add(self._y, term, out=self._y)


class Spread:
    """dx[c, s h + i - p, s' w + j - p'] += sum over o of W[o, c, i, j] dy[o, h, w], for one worker."""

    def __init__(
        self, shop: Workshop, worker: int, dy: Array, dx: Array, weight: Array, rows: Axis, width: Axis
    ) -> None:
        height, filters, outputs, batch = dy.shape
        channels = dx.shape[1]
        self._weight = weight.transpose(2, 1, 3, 0)
        self._matrix = shop.scratch("kernel in the order of columns", worker, *self._weight.shape)
        self._dy = dy.reshape(height, filters, -1, copy=False)
        shape = height, rows.kernel, channels, width.kernel, outputs, batch
        self._products = shop.scratch("products of cells", worker, *shape)
        self._dx = dx
        self._sums: Copies = []
        for i in range(rows.kernel):
            above, met = rows.meeting(i, height)
            for j in range(width.kernel):
                beside, columns = width.meeting(j, outputs)
                self._sums.append((dx[met, :, columns], self._products[above, i, :, j, beside]))

    def run(self) -> None:
        np.copyto(self._matrix, self._weight)
        flat = self._products.reshape(len(self._dy), -1, self._dy.shape[2], copy=False)
        np.matmul(self._matrix.reshape(flat.shape[1], -1, copy=False), self._dy, out=flat)
        self._dx[...] = 0
        for target, source in self._sums:
            np.add(target, source, out=target)


def summed_products(windows: Array, rows: Array, shop: Workshop, worker: int) -> Array:
    """The sum over h of windows[h] rows[h]^T, for gradients of weights: (kh, C, kw) x O."""
    shape = len(rows), windows.shape[1], rows.shape[1]
    products = shop.scratch("products of weights", worker, *shape)
    np.matmul(windows, rows.transpose(0, 2, 1), out=products)
    summed: Array = products.sum(axis=0)
    return summed


def turned(weight: Array) -> Array:
    """A view of a kernel O,C,kh,kw as C,O,kh,kw with its cells in reverse."""
    return weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
