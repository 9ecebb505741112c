"""Operations of the pools over images: along the width first, then along the height."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from netcalc.backend.kernels import Context
from netcalc.backend.kernels.base import Array, as_bits
from netcalc.backend.kernels.pooling import maxpool
from netcalc.backend.step.buffers import aligned_zeros, natural, stored
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.windows import WindowAxis, window_axes
from netcalc.graph import Node
from netcalc.layers.pooling import AvgPool, GlobalAvgPool, MaxPool, WindowPool
from netcalc.tensor import Shape

Index = tuple[Any, ...]
_ROWS, _COLUMNS = 0, 2
"""The axes of the height and the width in an array H,C,W,N."""


class PoolingAxis:
    """Windows along one axis of an array."""

    def __init__(self, axis: int, geometry: WindowAxis, outputs: int) -> None:
        self.cells: list[tuple[Index, Index]] = []
        """For each cell of the window the outputs for which it lies inside the input, and the inputs read."""
        for cell in range(geometry.kernel):
            windows, read = geometry.cell_positions(cell, outputs)
            self.cells.append(((*(slice(None),) * axis, windows), (*(slice(None),) * axis, read)))
        self.whole = all(windows == slice(0, outputs) for (*_, windows), _ in self.cells)
        """Whether every cell of every window lies inside."""
        self.tiled = (
            self.whole and geometry.stride == geometry.kernel and outputs * geometry.kernel == geometry.size
        )
        """Whether every input lies in one window."""

    def maxima(self, x: Array, y: Array) -> None:
        """y[u] = max over k of x[s u + d k - p]."""
        cells = self.cells
        if self.whole and len(cells) > 1:
            np.maximum(x[cells[0][1]], x[cells[1][1]], out=y)
            cells = cells[2:]
        else:
            y[...] = -np.inf
        for windows, read in cells:
            np.maximum(y[windows], x[read], out=y[windows])

    def pass_to_maxima(self, x: Array, y: Array, dy: Array, dx: Array, rest: Array, own: Array) -> None:
        """dx[i] += dy[u] for the first i of a window with x[i] = y[u]; `rest`, `own`: temporaries.

        The gradients are moved as bit patterns, so that an infinite one reaches its cell and no other.
        """
        if self.tiled and len(self.cells) > 1:
            self._pass_in_tiles(x, y, dy, dx)
            return
        dx[...] = 0
        np.copyto(rest, dy)
        rest_bits, own_bits = as_bits(rest), as_bits(own)
        for windows, read in self.cells:
            np.multiply(rest_bits[windows], x[read] == y[windows], out=own_bits[windows])
            np.subtract(rest_bits[windows], own_bits[windows], out=rest_bits[windows])
            np.add(dx[read], own[windows], out=dx[read])

    def _pass_in_tiles(self, x: Array, y: Array, dy: Array, dx: Array) -> None:
        """The same if each input lies in one window: the last cell gets what the others do not take."""
        *cells, (_, last) = self.cells
        dy, dx = as_bits(dy), as_bits(dx)
        for _, read in cells:
            np.multiply(dy, x[read] == y, out=dx[read])
            np.subtract(dy, dx[read], out=dx[last])
            dy = dx[last]

    def sums(self, x: Array, y: Array) -> None:
        """y[u] = sum over k of x[s u + d k - p]."""
        y[...] = 0
        for windows, read in self.cells:
            np.add(y[windows], x[read], out=y[windows])

    def add_gradients(self, dy: Array, dx: Array) -> None:
        """dx[i] += dy[u] for every i of a window."""
        dx[...] = 0
        for windows, read in self.cells:
            np.add(dx[read], dy[windows], out=dx[read])


class _WindowPooling(TrainingOperation):
    """What the pools with windows share: windows along the width, and windows along the height."""

    layer: WindowPool

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output(overwritable=not isinstance(binding.node.layer, MaxPool))
        _, self.height, self.width = self.y.layout.shape
        self.axes = window_axes(self.x.layout.shape[1:], self.layer.sliding_window())
        self.rows = PoolingAxis(_ROWS, self.axes[0], self.height)
        self.columns = PoolingAxis(_COLUMNS, self.axes[1], self.width)
        self.between = [self._narrowed(worker, x) for worker, x in enumerate(self.x.parts)]

    def _narrowed(self, worker: int, x: Array) -> Array:
        height, channels, _, batch = x.shape
        shape = height, channels, self.width, batch
        if not self.binding.has_backward and x.dtype == self.runtime.dtype:
            return self.runtime.scratch("narrowed", worker, *shape)
        return aligned_zeros(shape, x.dtype)


class MaxPooling(_WindowPooling):
    """y[u] = max over k of x[s u + d k - p];  dx[i] += dy[u] for the first i of a window with x[i] = y[u].

    The maximum of each row's maximum; the first of them in the window's row-major order is then the
    first of the first row.
    """

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, MaxPool) and len(node.layer.kernel) == 2

    def forward(self, worker: int) -> None:
        self.columns.maxima(self.x.parts[worker], self.between[worker])
        self.rows.maxima(self.between[worker], self.y.parts[worker])

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is None:
            return
        between, y, dy = self.between[worker], self.y.parts[worker], self.dy[worker]
        if np.isnan(y.max(initial=0)):
            self._backward_with_nan(worker, dxs[worker])
            return
        rest, own = (self.runtime.scratch(f"{use} of maxima", worker, *y.shape) for use in ("rest", "own"))
        dbetween, wide_rest, wide_own = (
            self.runtime.scratch(f"{use} of maxima", worker, *between.shape) for use in ("dy", "rest", "own")
        )
        self.rows.pass_to_maxima(between, y, dy, dbetween, rest, own)
        x, dx = self.x.parts[worker], dxs[worker]
        self.columns.pass_to_maxima(x, between, dbetween, dx, wide_rest, wide_own)

    def _backward_with_nan(self, worker: int, dx: Array) -> None:
        """By the kernel, which gives a window's gradient to its last NaN."""
        x = natural(self.x.parts[worker], self.x.rank)
        _, backward = maxpool(self.layer, {}, (x,), Context(training=True))
        (found,), _ = backward(natural(self.dy[worker], self.y.rank))
        assert found is not None
        np.copyto(dx, stored(found))


class AveragePooling(_WindowPooling):
    """y[u] = sum over k of x[s u + k - p] / cells of the window;  dx[s u + k - p] += dy[u] / cells."""

    layer: AvgPool

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, AvgPool) and len(node.layer.kernel) == 2

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        rows, columns = map(self._counted, self.axes, (self.height, self.width))
        shares = 1 / (rows[:, np.newaxis, np.newaxis, np.newaxis] * columns[:, np.newaxis])
        self.shares = shares.astype(self.runtime.dtype)

    def _counted(self, axis: WindowAxis, outputs: int) -> Array:
        """The cells of each window that count in the divisor."""
        before, after = (axis.before, axis.after) if self.layer.count_include_pad else (0, 0)
        starts = np.arange(outputs) * axis.stride - axis.before
        counted: Array = np.minimum(starts + axis.kernel, axis.size + after) - np.maximum(starts, -before)
        return counted

    def forward(self, worker: int) -> None:
        y = self.y.parts[worker]
        self.columns.sums(self.x.parts[worker], self.between[worker])
        self.rows.sums(self.between[worker], y)
        np.multiply(y, self.shares, out=y)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            self.rows.add_gradients(self.dy[worker] * self.shares, self.between[worker])
            self.columns.add_gradients(self.between[worker], dxs[worker])


class GlobalAveragePooling(TrainingOperation):
    """y = mean of x over all positions;  dx = dy / positions."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is the mean of an image."""
        return isinstance(node.layer, GlobalAvgPool) and len(shapes[0]) == 3

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        _, height, width = self.x.layout.shape
        self.positions = height * width

    def forward(self, worker: int) -> None:
        x, y = self.x.parts[worker], self.y.parts[worker]
        np.divide(x.sum(axis=(_ROWS, _COLUMNS)).reshape(y.shape, copy=None), self.positions, out=y)

    def backward(self, worker: int) -> None:
        (dxs,), dy = self.dxs, self.dy[worker]
        if dxs is not None:
            channels, batch = dxs[worker].shape[1], dxs[worker].shape[3]
            np.copyto(dxs[worker], (dy / self.positions).reshape(channels, 1, batch, copy=None))
