"""The steps of pools."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np

from netcalc.backend.convolution.base import Call, blocks
from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.steps import BLOCK_ELEMENTS, ByRows, Part, Step, Views


class GlobalAverage(Step):
    """The mean of each channel over all positions."""

    name = "mean"
    is_fast = True

    def channels_last(self, number: int) -> bool | None:
        return True

    def share(self, y: Array, part: Part) -> tuple[slice, slice]:
        return slice(0, y.shape[1]), part.of(y.shape[3])

    def calls(self, views: Views) -> Iterator[Call]:
        x = views.x()
        channels = views.part.of(x.shape[3])
        y = views.out() if views.out().ndim == 2 else views.out()[:, 0, 0]
        if channels.stop > channels.start:
            yield partial(np.mean, x[..., channels], axis=(1, 2), out=y[:, channels])


class Pool(ByRows):
    """Maxima or means over windows: one pass over the output for each cell of the kernel.

    Cells in the padding are left out of a maximum, and count as 0 in a mean.
    """

    name = "by kernel cells"

    def channels_last(self, number: int) -> bool | None:
        return True

    def calls(self, views: Views) -> Iterator[Call]:
        x, out = views.x(), views.out()
        shared = views.part.of(out.shape[1])
        if shared.stop == shared.start:
            return
        most_rows = max(1, BLOCK_ELEMENTS // prod(out.shape[2:]))
        for samples, inside in blocks(views.scratch, len(out), shared.stop - shared.start, most_rows):
            rows = range(shared.start + inside.start, shared.start + inside.stop)
            yield from self._block(x[samples], out[samples, rows.start : rows.stop], rows)

    def _block(self, x: Array, y: Array, rows: range) -> Iterator[Call]:
        """Some rows of the output, y: the cells that all of it has first, since they need no start."""
        is_max = self.stage.kind == "maxpool"
        join: Callable[..., Any] = np.maximum if is_max else np.add
        cells = sorted(self._cells(x, y, rows), key=lambda both: -both[0].size)
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
            layer: Any = self.stage.node.layer
            yield partial(np.multiply, y, y.dtype.type(1 / prod(layer.kernel)), y)

    def _cells(self, x: Array, y: Array, rows: range) -> Iterator[tuple[Array, Array]]:
        """For each cell of the kernel the outputs that have it inside the input, and what they find there."""
        layer: Any = self.stage.node.layer
        columns = range(y.shape[2])
        for cell in product(*map(range, layer.kernel)):
            down, right = (k * d for k, d in zip(cell, layer.sliding_window().dilation, strict=True))
            ys, xs = _met(down, layer.stride[0], layer.pad[0][0], x.shape[1], rows)
            yc, xc = _met(right, layer.stride[1], layer.pad[1][0], x.shape[2], columns)
            yield y[:, ys, yc], x[:, xs, xc]


def _met(place: int, stride: int, before: int, size: int, outputs: range) -> tuple[slice, slice]:
    """The outputs whose window has a cell inside the input, and the inputs they meet there."""
    first = max(outputs.start, -((place - before) // stride))
    last = min(outputs.stop - 1, (size - 1 - place + before) // stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    start = first * stride + place - before
    stop = last * stride + place - before + 1
    return slice(first - outputs.start, last + 1 - outputs.start), slice(start, stop, stride)
