"""Operations that only move elements: parts of tensors, other orders of axes, tensors side by side."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels import KERNELS, Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.kernels.padding import inner
from netcalc.backend.step.buffers import natural, stored
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.graph import Node
from netcalc.layers.geometry import resolve_axis
from netcalc.layers.merge import Concat
from netcalc.layers.padding import Pad
from netcalc.layers.saved import View
from netcalc.layers.shape import Flatten
from netcalc.tensor import Shape


class ViewCopy(TrainingOperation):
    """y is a copy of a view of x;  dx is 0, and dy in the same view of it."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether the layer's kernel returns a view of any input."""
        return node.layer.view not in (None, View.IN_ORDER)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        self.sources = [self._view(x) for x in self.x.parts]

    def _view(self, array: Array) -> Array:
        x = natural(array, self.x.rank)
        y, _ = KERNELS[self.layer.kind](self.layer, {}, (x,), Context())
        return stored(y)

    def forward(self, worker: int) -> None:
        np.copyto(self.y.parts[worker], self.sources[worker])

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            dx = dxs[worker]
            if self.sources[worker].size < dx.size:
                dx[...] = 0
            np.copyto(self._view(dx), self.dy[worker])


class Flattening(TrainingOperation):
    """y[(c, h, w)] = x[c, h, w], and dx[c, h, w] = dy[(c, h, w)]."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this flattens an image to a vector."""
        return isinstance(node.layer, Flatten) and len(shapes[0]) == 3 and len(node.output.shape) == 1

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()

    def forward(self, worker: int) -> None:
        x = self.x.parts[worker].transpose(1, 0, 2, 3)
        np.copyto(self.y.parts[worker].reshape(x.shape, copy=False), x)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            dx = dxs[worker].transpose(1, 0, 2, 3)
            np.copyto(dx, self.dy[worker].reshape(dx.shape, copy=False))


class ConstantPadding(TrainingOperation):
    """y is x with constant cells around;  dx is dy without them."""

    layer: Pad

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, Pad) and node.layer.mode == "zeros"

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output(lasting=True)  # its border is written only here
        for y in self.y.parts:
            y[...] = self.layer.value

    def _inner(self, array: Array) -> Array:
        return stored(natural(array, self.x.rank)[inner(self.layer.pad)])

    def forward(self, worker: int) -> None:
        np.copyto(self._inner(self.y.parts[worker]), self.x.parts[worker])

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            np.copyto(dxs[worker], self._inner(self.dy[worker]))


class Concatenation(TrainingOperation):
    """y is the inputs side by side along an axis;  each gradient is its piece of dy."""

    layer: Concat

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, Concat)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        self.y = binding.output()
        self.axis = resolve_axis(self.layer.axis, self.y.rank, "axis") + 1
        self.bounds = np.cumsum([x.layout.shape[self.axis - 1] for x in binding.xs])[:-1]

    def _pieces(self, array: Array) -> list[Array]:
        return [stored(piece) for piece in np.split(natural(array, self.y.rank), self.bounds, self.axis)]

    def forward(self, worker: int) -> None:
        for piece, x in zip(self._pieces(self.y.parts[worker]), self.binding.xs, strict=True):
            np.copyto(piece, x.parts[worker])

    def backward(self, worker: int) -> None:
        for piece, dxs in zip(self._pieces(self.dy[worker]), self.dxs, strict=True):
            if dxs is not None:
                np.copyto(dxs[worker], piece)
