"""Steps of layers that have no faster one: their kernels, with arrays in the order that users have."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels import Backward, Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.step.base import Site, Step
from netcalc.backend.step.storage import kept, natural
from netcalc.graph import Node
from netcalc.tensor import Shape


class Fallback(Step):
    """The layer's kernel, run by each worker on its own samples."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return True

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.y = site.output()
        self.ways_back: list[Backward | None] = [None for _ in self.shop.workers]

    def forward(self, worker: int) -> None:
        xs = tuple(_contiguous(natural(x.parts[worker], x.rank)) for x in self.site.xs)
        y = self._run(worker, xs, Context(training=True))
        np.copyto(self.y.parts[worker], kept(y))

    def _run(self, worker: int, xs: tuple[Array, ...], context: Context) -> Array:
        y, self.ways_back[worker] = self.shop.network.apply(self.site.node, xs, context)
        return y

    def backward(self, worker: int) -> None:
        dy = _contiguous(natural(self.dy[worker], self.y.rank))
        for dxs, dx in zip(self.dxs, self._back(worker, dy), strict=True):
            if dxs is not None:
                np.copyto(dxs[worker], 0 if dx is None else kept(dx))

    def _back(self, worker: int, dy: Array) -> tuple[Array | None, ...]:
        way_back = self.ways_back[worker]
        assert way_back is not None, "a way back follows a forward"
        dxs, dparams = way_back(dy)
        for name, gradient in dparams.items():
            self.site.gradients[name][worker][...] = gradient
        return dxs


class WholeBatch(Fallback):
    """The kernel of a layer that mixes samples: worker 0 runs it on all."""

    joint = True

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether a layer needs all samples together."""
        return node.layer.mixes_samples(training=True)

    def forward(self, worker: int) -> None:
        self.shop.team.join()
        if worker == 0:
            xs = tuple(_gathered(x.parts, x.rank) for x in self.site.xs)
            y = self._run(0, xs, Context(True, self.shop.random(self.site.number)))
            for part, share in zip(self.y.parts, self.shop.shares, strict=True):
                np.copyto(part, kept(y[share]))
        self.shop.team.join()

    def backward(self, worker: int) -> None:
        self.shop.team.join()
        if worker == 0:
            gradients = self._back(0, _gathered(self.dy, self.y.rank))
            for dxs, dx in zip(self.dxs, gradients, strict=True):
                for part, share in zip(dxs or [], self.shop.shares, strict=False):
                    np.copyto(part, 0 if dx is None else kept(dx[share]))
        self.shop.team.join()


def _contiguous(array: Array) -> Array:
    """A kernel's products and reshapes would copy an array in another order again and again."""
    return np.ascontiguousarray(array)


def _gathered(parts: list[Array], rank: int) -> Array:
    return np.concatenate([natural(part, rank) for part in parts])
