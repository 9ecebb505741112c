"""Steps that take each element on its own: activations, sums."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels import KERNELS, Backward, Context
from netcalc.backend.kernels.base import Array, as_bits
from netcalc.backend.step.base import Site, Step
from netcalc.backend.step.storage import Pool, Slot
from netcalc.graph import Node
from netcalc.layers.activation import Activation, PReLU, ReLU
from netcalc.layers.merge import Add
from netcalc.layers.softmax import LogSoftmax, Softmax
from netcalc.tensor import Shape


class Rectifier(Step):
    """y = max(x, 0), written over x where nobody else reads it;  dx = dy (not y <= 0)."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, ReLU)

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        (self.x,) = site.xs
        self.y = site.output(overwriting=self.x if self.x.expendable else None, spare=False)
        # NumPy takes a maximum with an array in a third of the time of one with a number.
        self.zeros = [np.zeros_like(_rows(y)[0]) for y in self.y.parts]

    def forward(self, worker: int) -> None:
        x, y = _rows(self.x.parts[worker]), _rows(self.y.parts[worker])
        np.maximum(x, self.zeros[worker], out=y)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            passed = ~(self.y.parts[worker] <= 0)
            np.multiply(as_bits(self.dy[worker]), passed, out=as_bits(dxs[worker]))


class Pointwise(Step):
    """Any other function of each element: the layer's kernel, which does not mind the order of axes."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        layer = node.layer
        return isinstance(layer, Activation) and not isinstance(layer, Softmax | LogSoftmax | PReLU)

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        (self.x,) = site.xs
        self.y = site.output()
        self.ways_back: list[Backward | None] = [None for _ in self.shop.workers]

    def forward(self, worker: int) -> None:
        kernel = KERNELS[self.layer.kind]
        y, way_back = kernel(self.layer, {}, (self.x.parts[worker],), Context(training=True))
        np.copyto(self.y.parts[worker], y)
        self.ways_back[worker] = way_back

    def backward(self, worker: int) -> None:
        (dxs,), way_back = self.dxs, self.ways_back[worker]
        if dxs is not None and way_back is not None:
            (dx,), _ = way_back(self.dy[worker])
            np.copyto(dxs[worker], dx)  # type: ignore[arg-type]


class Sum(Step):
    """y = a + b + ..., written over one that nobody else reads;  da = db = dy, without a copy."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this step can run a layer: a sum of tensors of one shape."""
        return isinstance(node.layer, Add) and len(set(shapes)) == 1

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.xs = sorted(site.xs, key=lambda x: not x.expendable)
        self.y = site.output(overwriting=self.xs[0] if self.xs[0].expendable else None)

    def forward(self, worker: int) -> None:
        first, second, *others = (x.parts[worker] for x in self.xs)
        y = self.y.parts[worker]
        np.add(first, second, out=y)
        for other in others:
            np.add(y, other, out=y)

    def link(self, dy: Slot, wanted: Sequence[bool], pool: Pool) -> list[Slot | None]:
        dy.users += sum(wanted)
        return [dy if want else None for want in wanted]

    def backward(self, worker: int) -> None:
        """Nothing to do: the inputs' gradients lie where y's does."""


def _rows(array: Array) -> Array:
    """A view of a kept array as rows, as long as they are contiguous."""
    return array.reshape(len(array), -1, copy=False)
