"""The linear layer's step and the flattening before it, on vectors F,N."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.base import Site, Step
from netcalc.backend.step.storage import Layout, Pool, Slot
from netcalc.backend.step.sums import add_to_channels
from netcalc.graph import Node
from netcalc.layers.linear import Linear
from netcalc.layers.shape import Flatten
from netcalc.tensor import Shape


class LinearProduct(Step):
    """y = W x + b;  dx = W^T dy,  dW = dy x^T,  db = sum of dy.

    Each worker takes its samples, the columns of x and y; of dW it takes some rows for all samples, so
    that a large weight's gradient is written once.
    """

    joint = True

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this step can run a layer: a linear one on vectors."""
        return isinstance(node.layer, Linear) and len(node.output.shape) == 1

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        (self.x,) = site.xs
        self.y = site.output()
        self.weight = site.params["weight"]
        self.whole_x = _whole(self.x.buffers, self.x.layout)

    def forward(self, worker: int) -> None:
        y = self.y.parts[worker]
        np.matmul(self.weight, self.x.parts[worker], out=y)
        if self.layer.bias:
            add_to_channels(y, self.site.params["bias"])

    def link(self, dy: Slot, wanted: Sequence[bool], pool: Pool) -> list[Slot | None]:
        dy.users += 1  # the other workers may still read it when this one has gone on
        self.whole_dy = _whole(dy.buffers, self.y.layout)
        return super().link(dy, wanted, pool)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            np.matmul(self.weight.T, self.dy[worker], out=dxs[worker])
        self.shop.team.join()
        (dweight,) = self.site.gradients["weight"]
        units, workers = len(dweight), len(self.shop.workers)
        rows = slice(units * worker // workers, units * (worker + 1) // workers)
        dy = self.whole_dy[rows]
        np.matmul(dy, self.whole_x.T, out=dweight[rows])
        if self.layer.bias:
            (dbias,) = self.site.gradients["bias"]
            dbias[rows] = dy.sum(axis=1)


class Flattening(Step):
    """y[(c, h, w)] = x[c, h, w], and its gradient the other way."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this step can run a layer: one that makes an image a vector."""
        return isinstance(node.layer, Flatten) and len(shapes[0]) == 3 and len(node.output.shape) == 1

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        (self.x,) = site.xs
        self.y = site.output()

    def forward(self, worker: int) -> None:
        x = self.x.parts[worker].transpose(1, 0, 2, 3)
        np.copyto(self.y.parts[worker].reshape(x.shape, copy=False), x)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            dx = dxs[worker].transpose(1, 0, 2, 3)
            np.copyto(dx, self.dy[worker].reshape(dx.shape, copy=False))


def _whole(buffers: list[Array], layout: Layout) -> Array:
    """The vectors of all samples, F,N."""
    (buffer,), (size,) = buffers, layout.sizes
    return buffer[:size].reshape(*layout.shape, -1, copy=False)
