"""Depthwise convolutions, in which no channels are summed: no matrix product is in them.

A cell of the kernel multiplies the rows W, N that it reads by a number a channel. At stride 1 and where
rows are long, `np.einsum` multiplies and adds them in one loop over a padded copy; else each cell is a
product and a sum of those outputs alone for which it lies inside the input.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.sums import add_to_channels, sums_of_channels
from netcalc.backend.step.windows import WindowAxis, window_axes
from netcalc.graph import Node
from netcalc.layers.convolution import Correlation
from netcalc.tensor import Shape

_LONG_ROW = 192
"""Elements from which on the padded copy and einsum's one loop take less time than the cells one by one."""
Index = tuple[slice, slice, slice]


class KernelCell(NamedTuple):
    """A cell of the kernel: the outputs for which it lies inside the input, and the inputs that they read."""

    place: tuple[int, int]
    windows: Index
    read: Index


class DepthwiseConvolution(TrainingOperation):
    """y[c m + j, u] = b + sum over k of W[c m + j, k] x[c, s u + d k - p], j < m.

    dW[c m + j, k] = sum over u of dy[c m + j, u] x[c, s u + d k - p];
    dx[c, s u + d k - p] += W[c m + j, k] dy[c m + j, u].
    """

    layer: Correlation

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is a 2D convolution of several channels in which each group has one."""
        layer = node.layer
        return (
            isinstance(layer, Correlation)
            and len(layer.kernel) == 2
            and layer.in_groups(shapes[0][0]) == shapes[0][0] > 1
            and layer.padding_mode == "zeros"
        )

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        self.weight = binding.params["weight"][:, 0]
        channels, *space = self.x.layout.shape
        filters, *outputs = self.y.layout.shape
        self.multiplier = filters // channels
        self.axes = rows, width = window_axes(tuple(space), self.layer.sliding_window())
        self.cells = list(_cells(rows, width, outputs))
        self.covering_y = _covering(self.cells, [cell.windows for cell in self.cells], outputs)
        self.covering_x = _covering(self.cells, [cell.read for cell in self.cells], space)

    def forward(self, worker: int) -> None:
        x, whole = self.x.parts[worker], self.y.parts[worker]
        for j in range(self.multiplier):
            weight, y = self.weight[j :: self.multiplier], whole[:, j :: self.multiplier]
            if self._runs_along_rows(y):
                self._correlate_rows(worker, x, y, weight)
            else:
                self._correlate_cells(worker, x, y, weight)
        if self.layer.bias:
            add_to_channels(whole, self.binding.params["bias"])

    def _runs_along_rows(self, y: Array) -> bool:
        return self.axes[1].stride == 1 and y.shape[2] * y.shape[3] >= _LONG_ROW

    def _correlate_rows(self, worker: int, x: Array, y: Array, weight: Array) -> None:
        """By einsum over the windows of a padded copy, whose pixels and samples are one axis."""
        rows, width = self.axes
        height, channels, across, batch = x.shape
        shape = rows.before + height + rows.after, channels, width.before + across + width.after, batch
        purpose = f"padded for {rows} and {width}"  # its zeros stay from one use to the next
        wide = self.runtime.scratch(purpose, worker, *shape)
        wide[rows.before : rows.before + height, :, width.before : width.before + across] = x
        h, c, w, n = wide.strides
        flat = y.reshape(*y.shape[:2], -1, copy=False)
        windows = as_strided(
            wide, (len(y), channels, rows.kernel, width.kernel, flat.shape[2]),
            (h * rows.stride, c, h * rows.dilation, w * width.dilation, n), writeable=False,
        )  # fmt: skip
        np.einsum("hcijr,cij->hcr", windows, weight, out=flat)

    def _correlate_cells(self, worker: int, x: Array, y: Array, weight: Array) -> None:
        products = self.runtime.scratch("products of cells", worker, *y.shape)
        if self.covering_y is None:
            y[...] = 0
        for number, (place, windows, read) in enumerate(_started(self.cells, self.covering_y)):
            factor = weight[:, *place, np.newaxis, np.newaxis]
            if number == 0 and self.covering_y is not None:
                np.multiply(x[read], factor, out=y)
                continue
            product, target = products[windows], y[windows]
            np.multiply(x[read], factor, out=product)
            np.add(target, product, out=target)

    def backward(self, worker: int) -> None:
        dy = self.dy[worker]
        if not self.binding.node.is_frozen:
            self._correlate_gradients(worker, dy)
            if self.layer.bias:
                self.binding.gradients["bias"][worker][...] = sums_of_channels(dy)
        (dxs,) = self.dxs
        if dxs is None:
            return
        for j in range(self.multiplier):
            weight, part = self.weight[j :: self.multiplier], dy[:, j :: self.multiplier]
            self._spread(worker, part, dxs[worker], weight, is_first=j == 0)

    def _correlate_gradients(self, worker: int, dy: Array) -> None:
        """The weights' gradient: for each cell the sum of dy times what the cell reads."""
        x, m = self.x.parts[worker], self.multiplier
        dweight = self.binding.gradients["weight"][worker][:, 0]
        dweight[...] = 0  # of cells that lie outside everywhere
        for place, windows, read in self.cells:
            for j in range(m):
                given, seen = dy[:, j::m][windows], x[read]
                if self.axes[1].stride == 1:  # what it reads of a row is one piece
                    given, seen = (part.reshape(*part.shape[:2], -1, copy=False) for part in (given, seen))
                sums = np.vecdot(given, seen)
                dweight[j::m, *place] = sums.sum(axis=(0, *range(2, sums.ndim)))

    def _spread(self, worker: int, dy: Array, dx: Array, weight: Array, is_first: bool) -> None:
        """dx += W dy cell by cell; the first filters of the channels overwrite what dx was."""
        products = self.runtime.scratch("products of cells", worker, *dy.shape)
        overwrites = is_first and self.covering_x is not None
        if is_first and not overwrites:
            dx[...] = 0
        for number, (place, windows, read) in enumerate(_started(self.cells, self.covering_x)):
            factor, source = weight[:, *place, np.newaxis, np.newaxis], dy[windows]
            if number == 0 and overwrites:
                np.multiply(source, factor, out=dx)
                continue
            product, target = products[windows], dx[read]
            np.multiply(source, factor, out=product)
            np.add(target, product, out=target)


def _cells(rows: WindowAxis, width: WindowAxis, outputs: Sequence[int]) -> list[KernelCell]:
    """The cells of the kernel that lie inside the input for some output."""
    found = []
    for i in range(rows.kernel):
        down, above = rows.cell_positions(i, outputs[0])
        for j in range(width.kernel):
            across, beside = width.cell_positions(j, outputs[1])
            if down.stop > down.start and across.stop > across.start:
                every = slice(None)
                found.append(KernelCell((i, j), (down, every, across), (above, every, beside)))
    return found


def _covering(cells: list[KernelCell], indices: list[Index], space: Sequence[int]) -> KernelCell | None:
    """The cell whose index is all of a space."""
    for cell, (down, _, across) in zip(cells, indices, strict=True):
        if [len(range(size)[part]) for size, part in zip(space, (down, across), strict=True)] == [*space]:
            return cell
    return None


def _started(cells: list[KernelCell], first: KernelCell | None) -> list[KernelCell]:
    """The cells, that one first."""
    return cells if first is None else [first, *(cell for cell in cells if cell is not first)]
