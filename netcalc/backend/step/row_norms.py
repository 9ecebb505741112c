"""Layer norm and RMS norm: each position of a sequence normalised over its features."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import BufferPool, GradientBuffer
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.sums import sum_of_rows
from netcalc.backend.step.tiles import has_rows, row_tiles
from netcalc.graph import Node
from netcalc.layers.normalisation import LayerNorm, RMSNorm
from netcalc.tensor import Shape


class RowNormalisation(TrainingOperation):
    """y = w z + b with z = (x - mean) r and r = 1 / sqrt(variance + eps), over the last axes.

    dw = sum of dy z,  db = sum of dy,  and with g = w dy  dx = r (g - mean of g - z mean of g z)
    (Ba, Kiros and Hinton 2016). An RMS norm takes no mean off, neither of x nor of g.

    The means and r are saved; backward computes x - mean again, and dw as sum of r dy (x - mean).
    """

    layer: LayerNorm | RMSNorm

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this normalises over the last axes of sequences."""
        layer = node.layer
        return isinstance(layer, LayerNorm | RMSNorm) and has_rows(shapes[0]) and not layer.channels

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        self.is_centred = isinstance(self.layer, LayerNorm)
        dtype = self.runtime.dtype
        self.eps = np.finfo(dtype).eps if self.layer.eps is None else self.layer.eps
        shape = self.y.layout.shape
        self.size = int(np.prod(shape[len(shape) - self.layer.axes :]))
        self.ones = np.ones(self.size, dtype)
        flat = {name: array.reshape(-1, copy=False) for name, array in binding.params.items()}
        self.weight, self.bias = flat.get("weight"), flat.get("bias")
        self.statistics = [np.zeros((y.size // self.size, 2), dtype) for y in self.y.parts]
        """The mean and r of each row."""
        self.tiles = [
            row_tiles(self._rows(x), self._rows(y), statistics)
            for x, y, statistics in zip(self.x.parts, self.y.parts, self.statistics, strict=True)
        ]

    def _rows(self, array: Array) -> Array:
        return array.reshape(-1, self.size, copy=False)

    def forward(self, worker: int) -> None:
        for x, y, statistics in self.tiles[worker]:
            centred = x
            if self.is_centred:
                statistics[:, 0] = x @ self.ones
                statistics[:, 0] /= self.size
                centred = np.subtract(x, statistics[:, :1], out=y)
            inverse = np.vecdot(centred, centred)
            inverse /= self.size
            inverse += self.eps
            np.sqrt(inverse, out=inverse)
            np.reciprocal(inverse, out=statistics[:, 1])
            np.multiply(centred, statistics[:, 1:], out=y)
            if self.weight is not None:
                y *= self.weight
            if self.bias is not None:
                y += self.bias

    def link(
        self, dy: GradientBuffer, wanted: Sequence[bool], pool: BufferPool
    ) -> list[GradientBuffer | None]:
        return self.link_in_place(dy, wanted, pool)

    def backward(self, worker: int) -> None:
        (dxs,), is_trained = self.dxs, self.binding.node.is_trained
        dy = self._rows(self.dy[worker])
        dx = dy if dxs is None else self._rows(dxs[worker])
        totals = self.runtime.scratch("sums", worker, 3, self.size)
        totals[:2] = 0
        tiles = row_tiles(self._rows(self.x.parts[worker]), dy, dx, self.statistics[worker])
        for x, dy, dx, statistics in tiles:
            centred = self.runtime.scratch("centred", worker, *x.shape)
            product = self.runtime.scratch("products", worker, *x.shape)
            np.subtract(x, statistics[:, :1], out=centred)  # an RMS norm's mean is 0
            np.multiply(dy, centred, out=product)
            if self.weight is not None and is_trained:
                totals[0] += np.matmul(statistics[:, 1], product, out=totals[2])
            if self.bias is not None and is_trained:
                totals[1] += sum_of_rows(dy, out=totals[2])
            if dxs is not None:
                self._input_gradient(dy, centred, product, statistics[:, 1], dx)
        for name, total in zip(("weight", "bias"), totals, strict=False):
            if name in self.binding.gradients:
                gradient = self.binding.gradients[name][worker]
                gradient[...] = total.reshape(gradient.shape, copy=False)

    def _input_gradient(self, dy: Array, centred: Array, product: Array, r: Array, dx: Array) -> None:
        """Dx from dy, x - mean and their product; x - mean is overwritten, and dx may be dy."""
        weight = self.ones if self.weight is None else self.weight
        slope = product @ weight
        for factor in (r, r, r / self.size):  # the power of r alone could be too small a number
            slope *= factor
        centred *= slope[:, np.newaxis]
        if self.is_centred:
            mean = dy @ weight
            mean *= r / self.size
            centred += mean[:, np.newaxis]
        np.multiply(dy, r[:, np.newaxis], out=dx)
        if self.weight is not None:
            dx *= self.weight
        dx -= centred
