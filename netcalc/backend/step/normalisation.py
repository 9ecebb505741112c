"""The batch norm's operation, whose statistics are those of all workers' samples."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import aligned_zeros
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.sums import by_channel, products_of_channels, sums_of_channels
from netcalc.graph import Node
from netcalc.layers.normalisation import BatchNorm
from netcalc.tensor import Shape


class BatchNormalisation(TrainingOperation):
    """y = g (x - m) r + b with r = 1 / sqrt(v + eps), m and v each channel's mean and variance.

    dx = g r (dy - mean of dy - z mean of (dy z)) with z = (x - m) r;  dg = sum of dy z, db = sum of dy
    (Ioffe and Szegedy 2015).

    Each worker centres its samples by their own mean m_i and sums their squares q_i, which are combined
    (Chan, Golub and LeVeque 1979): n v = sum over i of q_i + n_i (m_i - m)^2. It saves x - m_i, from which
    z = (x - m_i + (m_i - m)) r.
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
        self.centred = (
            self.x.parts if self.x.can_overwrite else [aligned_zeros(x.shape, x.dtype) for x in self.x.parts]
        )
        workers = self.runtime.workers.size
        self.means, self.squares, self.dsums, self.dproducts = self.runtime.zeros((4, workers, channels))
        ones, zeros = np.ones(channels, self.runtime.dtype), np.zeros(channels, self.runtime.dtype)
        self.weight = binding.params.get("weight", ones)
        self.bias = binding.params.get("bias", zeros)
        self.shifts = np.zeros((workers, channels), self.runtime.dtype)
        self.inverse = np.zeros((workers, channels), self.runtime.dtype)

    def forward(self, worker: int) -> None:
        x, y, centred = (by_channel(v[worker]) for v in (self.x.parts, self.y.parts, self.centred))
        self.means[worker] = sums_of_channels(self.x.parts[worker]) / self.counts[worker]
        np.subtract(x, self.means[worker][:, np.newaxis], out=centred)
        self.squares[worker] = products_of_channels(self.centred[worker], self.centred[worker])
        self.runtime.workers.barrier(worker)
        mean = self.counts @ self.means / self.count
        offsets = self.means - mean
        variance = (self.squares.sum(axis=0) + self.counts @ (offsets * offsets)) / self.count
        if worker == 0 and self.layer.running:
            self._move("running_mean", mean)
            self._move("running_var", variance * (self.count / (self.count - 1)))
        self.shifts[worker] = offsets[worker]
        self.inverse[worker] = 1 / np.sqrt(variance + self.layer.eps)
        scale = self.weight * self.inverse[worker]
        np.multiply(centred, scale[:, np.newaxis], out=y)
        np.add(y, (self.bias + scale * offsets[worker])[:, np.newaxis], out=y)

    def _move(self, name: str, statistic: Array) -> None:
        running = self.binding.params[name]
        running += self.layer.momentum * (statistic - running)

    def backward(self, worker: int) -> None:
        dy, centred = self.dy[worker], self.centred[worker]
        inverse, shift = self.inverse[worker], self.shifts[worker]
        self.dsums[worker] = sums_of_channels(dy)
        self.dproducts[worker] = inverse * (products_of_channels(dy, centred) + shift * self.dsums[worker])
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
        dx, saved = by_channel(dxs[worker]), by_channel(centred)
        np.multiply(saved, (scale * slope)[:, np.newaxis], out=saved)
        np.multiply(by_channel(dy), scale[:, np.newaxis], out=dx)
        np.subtract(dx, saved, out=dx)
        np.subtract(dx, (scale * (mean + slope * shift))[:, np.newaxis], out=dx)
