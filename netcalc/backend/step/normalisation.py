"""The batch norm's step, whose statistics all workers join."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.backend.step.base import Site, Step
from netcalc.backend.step.sums import by_channel, products_of_channels, sums_of_channels
from netcalc.graph import Node
from netcalc.layers.normalisation import BatchNorm
from netcalc.tensor import Shape


class BatchNormalisation(Step):
    """y = g (x - m) r + b with r = 1 / sqrt(v + eps), m and v each channel's mean and variance.

    dx = g r (dy - mean of dy - z mean of (dy z)) with z = (x - m) r;  dg = sum of dy z, db = sum of dy
    (Ioffe and Szegedy 2015).

    Each worker centres its samples by their own mean m_i, takes their squares q_i, and joins them
    (Chan, Golub and LeVeque 1979): n v = sum over i of q_i + n_i (m_i - m)^2. What it keeps is
    x - m_i, from which z = (x - m_i + (m_i - m)) r.
    """

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this step can run a layer: a batch norm of images or of vectors."""
        return isinstance(node.layer, BatchNorm) and len(node.output.shape) in (1, 3)

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        (self.x,) = site.xs
        self.y = site.output()
        channels = self.y.layout.shape[0]
        counts = [y.size // channels for y in self.y.parts]
        self.counts = np.array(counts, self.shop.dtype)
        self.count = sum(counts)
        if self.count == 1:
            what = "batchnorm needs more than one value of each channel to take its own statistics"
            refuse("E907", f"{site.node.full_name}: {what}", site.node.span)
        self.centred = self.x.parts if self.x.expendable else [np.empty_like(x) for x in self.x.parts]
        workers = len(self.shop.workers)
        self.means, self.squares, self.dsums, self.dproducts = self.shop.zeros((4, workers, channels))
        ones, zeros = np.ones(channels, self.shop.dtype), np.zeros(channels, self.shop.dtype)
        self.weight = site.params.get("weight", ones)
        self.bias = site.params.get("bias", zeros)
        self.shifts = np.zeros((workers, channels), self.shop.dtype)
        self.inverse = np.zeros((workers, channels), self.shop.dtype)

    def forward(self, worker: int) -> None:
        x, y, centred = (by_channel(v[worker]) for v in (self.x.parts, self.y.parts, self.centred))
        self.means[worker] = sums_of_channels(self.x.parts[worker]) / self.counts[worker]
        np.subtract(x, self.means[worker][:, np.newaxis], out=centred)
        self.squares[worker] = products_of_channels(self.centred[worker], self.centred[worker])
        self.shop.team.join()
        mean = self.counts @ self.means / self.count
        apart = self.means - mean
        variance = (self.squares.sum(axis=0) + self.counts @ (apart * apart)) / self.count
        if worker == 0 and self.layer.running:
            self._move("running_mean", mean)
            self._move("running_var", variance * (self.count / (self.count - 1)))
        self.shifts[worker] = apart[worker]
        self.inverse[worker] = 1 / np.sqrt(variance + self.layer.eps)
        scale = self.weight * self.inverse[worker]
        np.multiply(centred, scale[:, np.newaxis], out=y)
        np.add(y, (self.bias + scale * apart[worker])[:, np.newaxis], out=y)

    def _move(self, name: str, statistic: Array) -> None:
        running = self.site.params[name]
        running += self.layer.momentum * (statistic - running)

    def backward(self, worker: int) -> None:
        dy, centred = self.dy[worker], self.centred[worker]
        inverse, shift = self.inverse[worker], self.shifts[worker]
        self.dsums[worker] = sums_of_channels(dy)
        self.dproducts[worker] = inverse * (products_of_channels(dy, centred) + shift * self.dsums[worker])
        for name, sums in (("bias", self.dsums), ("weight", self.dproducts)):
            if name in self.site.gradients:
                self.site.gradients[name][worker][...] = sums[worker]
        (dxs,) = self.dxs
        self.shop.team.join()
        if dxs is None:
            return
        scale = self.weight * inverse
        mean = self.dsums.sum(axis=0) / self.count
        slope = self.dproducts.sum(axis=0) / self.count * inverse
        dx, kept = by_channel(dxs[worker]), by_channel(centred)
        np.multiply(kept, (scale * slope)[:, np.newaxis], out=kept)
        np.multiply(by_channel(dy), scale[:, np.newaxis], out=dx)
        np.subtract(dx, kept, out=dx)
        np.subtract(dx, (scale * (mean + slope * shift))[:, np.newaxis], out=dx)
