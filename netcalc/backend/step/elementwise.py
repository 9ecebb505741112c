"""Operations on each element on its own: activations, sums."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels import KERNELS, Backward, Context
from netcalc.backend.kernels.base import Array, as_bits
from netcalc.backend.step.buffers import BufferPool, GradientBuffer
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.graph import Node
from netcalc.layers import activation
from netcalc.layers.activation import PReLU, Unary
from netcalc.layers.merge import Add
from netcalc.layers.softmax import Softmax
from netcalc.tensor import Shape

_BLOCK_ELEMENTS = 2**16
"""What is computed together, so that it stays in the cache."""


class ReLU(TrainingOperation):
    """y = max(x, 0), written over x if nothing else reads it;  dx = dy (not y <= 0)."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, activation.ReLU)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output(overwriting=self.x if self.x.can_overwrite else None, overwritable=False)
        # NumPy takes a maximum with an array in a third of the time of one with a number.
        self.zeros = [self.runtime.zeros(_rows(y)[0].size) for y in self.y.parts]
        most = max(1, _BLOCK_ELEMENTS // max(1, self.zeros[0].size))
        self._passed = [np.empty((most, zeros.size), bool) for zeros in self.zeros]

    def forward(self, worker: int) -> None:
        x, y = _rows(self.x.parts[worker]), _rows(self.y.parts[worker])
        np.maximum(x, self.zeros[worker], out=y)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            y, dy, dx = (_rows(each[worker]) for each in (self.y.parts, self.dy, dxs))
            dy, dx = as_bits(dy), as_bits(dx)
            rows = max(1, _BLOCK_ELEMENTS // max(1, y.shape[1]))
            passed = self._passed[worker]
            for part in (slice(first, first + rows) for first in range(0, len(y), rows)):
                own = passed[: len(y[part])]
                np.less_equal(y[part], self.zeros[worker], out=own)
                np.logical_not(own, out=own)
                np.multiply(dy[part], own, out=dx[part])


class ElementwiseKernel(TrainingOperation):
    """Any other function of each element: the layer's kernel, which works in any order of axes."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is a function of each element alone, without parameters."""
        return isinstance(node.layer, Unary) and not isinstance(node.layer, Softmax | PReLU)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        self.backwards: list[Backward | None] = [None for _ in self.runtime.shares]

    def forward(self, worker: int) -> None:
        kernel = KERNELS[self.layer.kind]
        y, backward = kernel(self.layer, {}, (self.x.parts[worker],), Context(training=True))
        np.copyto(self.y.parts[worker], y)
        self.backwards[worker] = backward if self.binding.has_backward else None

    def backward(self, worker: int) -> None:
        (dxs,), backward = self.dxs, self.backwards[worker]
        if dxs is not None and backward is not None:
            (dx,), _ = backward(self.dy[worker])
            assert dx is not None
            np.copyto(dxs[worker], dx)


class Sum(TrainingOperation):
    """y = a + b + ..., written over a term that nothing else reads;  da = db = dy, without a copy."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is a sum of tensors of one shape."""
        return isinstance(node.layer, Add) and len(set(shapes)) == 1

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        self.xs = sorted(binding.xs, key=lambda x: not x.can_overwrite)
        self.y = binding.output(overwriting=self.xs[0] if self.xs[0].can_overwrite else None)

    def forward(self, worker: int) -> None:
        first, second, *others = (x.parts[worker] for x in self.xs)
        y = self.y.parts[worker]
        np.add(first, second, out=y)
        for other in others:
            np.add(y, other, out=y)

    def link(
        self, dy: GradientBuffer, wanted: Sequence[bool], pool: BufferPool
    ) -> list[GradientBuffer | None]:
        dy.users += sum(wanted)
        return [dy if want else None for want in wanted]

    def backward(self, worker: int) -> None:
        """Nothing to do: the gradients of the inputs use the buffer of y's."""


def _rows(array: Array) -> Array:
    """A view of a stored array as its longest contiguous rows."""
    return array.reshape(len(array), -1, copy=False)
