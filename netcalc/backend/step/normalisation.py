"""The batch norm's operation, whose statistics are those of all workers' samples."""

from collections.abc import Iterator, Sequence

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import aligned_zeros
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.sums import by_channel, products_of_channels, sums_of_channels
from netcalc.graph import Node
from netcalc.layers.normalisation import BatchNorm
from netcalc.tensor import Shape

_MOST_OF_MEAN = 16
"""A mean's square over the variance, up to which the sum of squares around zero gives the variance."""
_BLOCK_ELEMENTS = 2**16


class BatchNormalisation(TrainingOperation):
    """y = g (x - m) r + b with r = 1 / sqrt(v + eps), m and v each channel's mean and variance.

    dx = g r (dy - mean of dy - z mean of (dy z)) with z = (x - m) r;  dg = sum of dy z, db = sum of dy
    (Ioffe and Szegedy 2015).

    The mean m_i and the squares q_i around it that each worker finds in its samples are combined (Chan,
    Golub and LeVeque 1979): n v = sum over i of q_i + n_i (m_i - m)^2. q_i is the sum of x^2 less n_i m_i^2,
    unless a mean is so far from zero that this would lose digits: then the worker centres its samples first.
    What it saves is x, or x - m_i, and the number that makes it x - m.
    """

    layer: BatchNorm

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is a batch norm of images or of vectors."""
        return isinstance(node.layer, BatchNorm) and len(node.output.shape) in (1, 3)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        channels = self.y.layout.shape[0]
        counts = [y.size // channels for y in self.y.parts]
        self.counts = np.array(counts, self.runtime.dtype)
        self.count = sum(counts)
        if self.count == 1:
            what = "batchnorm needs more than one value of each channel to take its own statistics"
            refuse("E907", f"{binding.node.full_name}: {what}", binding.node.span)
        self.saved = list(self.x.parts)
        """x, or what the worker's own mean has been taken off."""
        workers = self.runtime.workers.size
        self.means, self.squares, self.dsums, self.dproducts = self.runtime.zeros((4, workers, channels))
        ones, zeros = np.ones(channels, self.runtime.dtype), np.zeros(channels, self.runtime.dtype)
        self.weight = binding.params.get("weight", ones)
        self.bias = binding.params.get("bias", zeros)
        self.shifts = np.zeros((workers, channels), self.runtime.dtype)
        self.inverse = np.zeros((workers, channels), self.runtime.dtype)

    def forward(self, worker: int) -> None:
        shift = self._measure(worker)
        self.runtime.workers.barrier(worker)
        mean = self.counts @ self.means / self.count
        offsets = self.means - mean
        variance = (self.squares.sum(axis=0) + self.counts @ (offsets * offsets)) / self.count
        if worker == 0 and self.layer.running:
            self._move("running_mean", mean)
            self._move("running_var", variance * (self.count / (self.count - 1)))
        self.shifts[worker] = shift - mean
        self.inverse[worker] = 1 / np.sqrt(variance + self.layer.eps)
        scale = self.weight * self.inverse[worker]
        constant = self.bias + scale * self.shifts[worker]
        for saved, y in _blocks(self.saved[worker], self.y.parts[worker]):
            np.multiply(saved, scale[:, np.newaxis], out=y)
            np.add(y, constant[:, np.newaxis], out=y)

    def _measure(self, worker: int) -> Array:
        """Take the mean and squares of a worker's samples; what has been taken off what it saves."""
        x, count = self.x.parts[worker], self.counts[worker]
        mean: Array = sums_of_channels(x) / count
        around_zero = products_of_channels(x, x)
        of_mean = count * mean * mean
        squares = around_zero - of_mean
        self.means[worker], self.squares[worker], self.saved[worker] = mean, squares, x
        if (of_mean <= _MOST_OF_MEAN * squares).all():
            return np.zeros_like(mean)
        if not self.x.can_overwrite:
            self.saved[worker] = aligned_zeros(x.shape, x.dtype)
        saved = self.saved[worker]
        np.subtract(by_channel(x), mean[:, np.newaxis], out=by_channel(saved))
        self.squares[worker] = products_of_channels(saved, saved)
        return mean

    def _move(self, name: str, statistic: Array) -> None:
        running = self.binding.params[name]
        running += self.layer.momentum * (statistic - running)

    def backward(self, worker: int) -> None:
        dy, saved = self.dy[worker], self.saved[worker]
        inverse, shift = self.inverse[worker], self.shifts[worker]
        self.dsums[worker] = sums_of_channels(dy)
        self.dproducts[worker] = inverse * (products_of_channels(dy, saved) + shift * self.dsums[worker])
        for name, sums in (("bias", self.dsums), ("weight", self.dproducts)):
            if name in self.binding.gradients:
                self.binding.gradients[name][worker][...] = sums[worker]
        (dxs,) = self.dxs
        self.runtime.workers.barrier(worker)
        if dxs is None:
            return
        scale = self.weight * inverse
        mean = self.dsums.sum(axis=0) / self.count
        slope = self.dproducts.sum(axis=0) / self.count * inverse
        constant = (scale * (mean + slope * shift))[:, np.newaxis]
        scale, slope = scale[:, np.newaxis], (scale * slope)[:, np.newaxis]
        for given, kept, dx in _blocks(dy, saved, dxs[worker]):
            sloped = self.runtime.scratch("slopes", worker, *kept.shape)
            np.multiply(kept, slope, out=sloped)
            np.add(sloped, constant, out=sloped)
            np.multiply(given, scale, out=dx)
            np.subtract(dx, sloped, out=dx)


def _blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Arrays of one shape by channel, some rows at a time, which stay in the cache from call to call."""
    views = [by_channel(array) for array in arrays]
    height, channels, row = views[0].shape
    rows = max(1, _BLOCK_ELEMENTS // max(1, channels * row))
    for first in range(0, height, rows):
        yield tuple(view[first : first + rows] for view in views)
