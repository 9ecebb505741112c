"""Convolutions over images by columns that are built along the rows only.

An image is stored as rows H of C, W, N. Shifted by each cell of the kernel's width, a row gives the
columns (C, kw) x (W, N), which are copied in long runs; the cells of the kernel's height need no copy,
since they read whole rows:

    y[o, h] = sum over i of W[o, :, i, :] columns[s h + i]

That is kw copies of the input where im2col (Chellapilla et al. 2006) makes kh kw. All rows are one
batched product, in tiles that fit the cache. There are two ways to sum over i:

- products: all W[:, :, i, :] stacked, times each row once; then kh sums of rows. For stride 1.
- windows: kh consecutive rows are one matrix already, (kh, C, kw) x (W, N). For any stride, and where
  C kw is so small that a product over it alone would mostly write results.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.operations import Runtime
from netcalc.backend.step.windows import WindowAxis

Copies = list[tuple[Array, Array]]
_FEWEST_SUMMED = 32
"""A product over fewer terms spends its time on writing results."""


class Columns:
    """The columns of one worker's image: rows R of C, kw, W', N with the padding's rows around them."""

    def __init__(
        self, runtime: Runtime, worker: int, x: Array, rows: WindowAxis, width: WindowAxis, outputs: int
    ) -> None:
        height, channels, _, batch = x.shape
        purpose = f"columns of {rows} and {width}"  # the padding's zeros stay from one use to the next
        shape = rows.before + height + rows.after, channels, width.kernel, outputs, batch
        self.array = runtime.scratch(purpose, worker, *shape)
        inside = self.array[rows.before : rows.before + height]
        self._copies: Copies = []
        for cell in range(width.kernel):
            columns, cells = width.cell_positions(cell, outputs)
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


class ColumnCorrelation:
    """y[o, h, w] = sum over c, i, j of W[o, c, i, j] x[c, s h + i - p, s' w + j - p'], for one worker.

    `weight` is a view O,C,kh,kw, read at each call. Forward this is the layer itself; backward, at
    stride 1, its kernel flipped and transposed, on the gradient.
    """

    def __init__(
        self,
        runtime: Runtime,
        worker: int,
        x: Array,
        y: Array,
        weight: Array,
        rows: WindowAxis,
        width: WindowAxis,
    ) -> None:
        self.columns = Columns(runtime, worker, x, rows, width, y.shape[2])
        self._y = y.reshape(*y.shape[:2], -1, copy=False)
        filters, channels, kernel, _ = weight.shape
        if rows.stride == 1 and channels * width.kernel >= _FEWEST_SUMMED and kernel > 1:
            self._weight = weight.transpose(2, 0, 1, 3)
            inside = slice(rows.before, rows.before + rows.size)
            self._x = self.columns.rows()[inside]
            shape = len(self.columns.array), kernel * filters, self._x.shape[2]
            self._products = runtime.scratch(f"products of {rows}", worker, *shape)
            self._inside = self._products[inside]
        else:
            self._weight = weight.transpose(0, 2, 1, 3)
            self._x = self.columns.windows(kernel, rows.stride)
            self._products = self._inside = self._y
        self._matrix = runtime.scratch("kernel in the order of columns", worker, *self._weight.shape)

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


class Col2im:
    """dx[c, s h + i - p, s' w + j - p'] += sum over o of W[o, c, i, j] dy[o, h, w], for one worker."""

    def __init__(
        self,
        runtime: Runtime,
        worker: int,
        dy: Array,
        dx: Array,
        weight: Array,
        rows: WindowAxis,
        width: WindowAxis,
    ) -> None:
        height, filters, outputs, batch = dy.shape
        channels = dx.shape[1]
        self._weight = weight.transpose(2, 1, 3, 0)
        self._matrix = runtime.scratch("kernel in the order of columns", worker, *self._weight.shape)
        self._dy = dy.reshape(height, filters, -1, copy=False)
        shape = height, rows.kernel, channels, width.kernel, outputs, batch
        self._products = runtime.scratch("products of cells", worker, *shape)
        self._dx = dx
        self._sums: Copies = []
        for i in range(rows.kernel):
            above, met = rows.cell_positions(i, height)
            for j in range(width.kernel):
                beside, columns = width.cell_positions(j, outputs)
                self._sums.append((dx[met, :, columns], self._products[above, i, :, j, beside]))

    def run(self) -> None:
        np.copyto(self._matrix, self._weight)
        flat = self._products.reshape(len(self._dy), -1, self._dy.shape[2], copy=False)
        np.matmul(self._matrix.reshape(flat.shape[1], -1, copy=False), self._dy, out=flat)
        self._dx[...] = 0
        for target, source in self._sums:
            np.add(target, source, out=target)


def summed_products(windows: Array, rows: Array, runtime: Runtime, worker: int) -> Array:
    """The sum over h of windows[h] rows[h]^T, for gradients of weights: (kh, C, kw) x O."""
    shape = len(rows), windows.shape[1], rows.shape[1]
    products = runtime.scratch("products of weights", worker, *shape)
    np.matmul(windows, rows.transpose(0, 2, 1), out=products)
    summed: Array = products.sum(axis=0)
    return summed


def flipped(weight: Array) -> Array:
    """A view of a kernel O,C,kh,kw as C,O,kh,kw with its cells in reverse."""
    return weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
