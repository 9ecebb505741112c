"""The operations of pools."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.calls import Call
from netcalc.backend.plan.operations import InferenceOperation, Operands, RowParallel
from netcalc.backend.workers import Share
from netcalc.graph import Node
from netcalc.layers.geometry import cell_positions
from netcalc.layers.pooling import AdaptiveAvgPool, AvgPool, GlobalAvgPool, MaxPool, WindowPool
from netcalc.tensor import Shape


class GlobalAverage(InferenceOperation):
    """The mean of each channel over all positions."""

    name = "mean"

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        to_one = isinstance(node.layer, GlobalAvgPool | AdaptiveAvgPool) and prod(node.output.shape[1:]) == 1
        return to_one and len(shapes[0]) == 3

    def channels_last(self, number: int) -> bool | None:
        return True

    def gives_channels_last(self, first: bool) -> bool:
        return True

    def share(self, y: Array, share: Share) -> tuple[slice, slice]:
        return slice(0, y.shape[1]), share.of(y.shape[3])

    def calls(self, operands: Operands) -> Iterator[Call]:
        x = operands.x()
        channels = operands.share.of(x.shape[3])
        y = operands.out() if operands.out().ndim == 2 else operands.out()[:, 0, 0]
        if channels.stop > channels.start:
            yield partial(np.mean, x[..., channels], axis=(1, 2), out=y[:, channels])


class WindowPooling(RowParallel):
    """Maxima or means over windows: one pass over the output for each cell of the window.

    Cells in the padding are left out of a maximum, and count as 0 in a mean.
    """

    name = "by kernel cells"

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is a 2D pool whose windows, if it takes means, all divide by the kernel's size."""
        layer = node.layer
        if isinstance(layer, AvgPool):
            is_padded = any(map(any, layer.pad))
            return len(layer.kernel) == 2 and not layer.ceil and (layer.count_include_pad or not is_padded)
        return isinstance(layer, MaxPool) and len(layer.kernel) == 2

    @property
    def layer(self) -> WindowPool:
        """The pool."""
        layer = self.stage.node.layer
        assert isinstance(layer, WindowPool)
        return layer

    def channels_last(self, number: int) -> bool | None:
        return True

    def gives_channels_last(self, first: bool) -> bool:
        return True

    def calls(self, operands: Operands) -> Iterator[Call]:
        x, out = operands.x(), operands.out()
        for samples, rows in self.row_blocks(operands):
            yield from self._block(x[samples], out[samples, rows], rows.start)

    def _block(self, x: Array, y: Array, first_row: int) -> Iterator[Call]:
        """Some rows of the output, y. Cells that all of its windows have come first: they need no start."""
        is_max = isinstance(self.layer, MaxPool)
        join: Callable[..., Any] = np.maximum if is_max else np.add
        cells = sorted(self._cells(x, y, first_row), key=lambda both: -both[0].size)
        whole = [read for target, read in cells if target.size == y.size]
        if not whole:
            yield partial(np.copyto, y, y.dtype.type(-np.inf if is_max else 0))
        elif len(whole) == 1:
            yield partial(np.copyto, y, whole[0])
        else:
            yield partial(join, whole[0], whole[1], out=y)
        for target, read in cells[min(len(whole), 2) :]:
            if target.size:
                yield partial(join, target, read, out=target)
        if not is_max:
            yield partial(np.multiply, y, y.dtype.type(1 / prod(self.layer.kernel)), y)

    def _cells(self, x: Array, y: Array, first_row: int) -> Iterator[tuple[Array, Array]]:
        """For each cell of the window the outputs for which it lies inside the input, and the inputs read."""
        window = self.layer.sliding_window()
        down, right = window.stride
        for cell in product(*map(range, window.kernel)):
            places = zip(cell, window.dilation, window.pad, strict=True)
            row, column = (k * dilation - before for k, dilation, (before, _) in places)
            ys, xs = cell_positions(x.shape[1], y.shape[1], down, row + first_row * down)
            yc, xc = cell_positions(x.shape[2], y.shape[2], right, column)
            yield y[:, ys, yc], x[:, xs, xc]
