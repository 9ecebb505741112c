"""Steps that only move numbers: parts of tensors, other orders of axes, tensors side by side."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels import KERNELS, Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.kernels.padding import inner
from netcalc.backend.step.base import Site, Step
from netcalc.backend.step.storage import kept, natural
from netcalc.graph import Node
from netcalc.layers.geometry import resolve_axis
from netcalc.layers.merge import Concat
from netcalc.layers.padding import Pad
from netcalc.tensor import Shape

_VIEWS = ("identity", "slice", "split", "crop", "permute", "squeeze", "unsqueeze")
"""The kinds whose kernel gives a view of its input."""


class Views(Step):
    """y is a view of x, copied;  dx is 0, and dy where the same view of it lies."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return node.layer.kind in _VIEWS

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        (self.x,) = site.xs
        self.y = site.output()
        self.sources = [self._view(x) for x in self.x.parts]

    def _view(self, array: Array) -> Array:
        x = natural(array, self.x.rank)
        y, _ = KERNELS[self.layer.kind](self.layer, {}, (x,), Context())
        return kept(y)

    def forward(self, worker: int) -> None:
        np.copyto(self.y.parts[worker], self.sources[worker])

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            dx = dxs[worker]
            if self.sources[worker].size < dx.size:
                dx[...] = 0
            np.copyto(self._view(dx), self.dy[worker])


class Padding(Step):
    """y is x with constant cells around;  dx is dy without them."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, Pad) and node.layer.mode == "zeros"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        (self.x,) = site.xs
        self.y = site.output(spare=False)  # its border is written here, once
        for y in self.y.parts:
            y[...] = self.layer.value

    def _inner(self, array: Array) -> Array:
        return kept(natural(array, self.x.rank)[inner(self.layer.pad)])

    def forward(self, worker: int) -> None:
        np.copyto(self._inner(self.y.parts[worker]), self.x.parts[worker])

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            np.copyto(dxs[worker], self._inner(self.dy[worker]))


class Concatenation(Step):
    """y is the inputs side by side along an axis;  each gradient is its piece of dy."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, Concat)

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.y = site.output()
        self.axis = resolve_axis(self.layer.axis, self.y.rank, "axis") + 1
        self.bounds = np.cumsum([x.layout.shape[self.axis - 1] for x in site.xs])[:-1]

    def _pieces(self, array: Array) -> list[Array]:
        return [kept(piece) for piece in np.split(natural(array, self.y.rank), self.bounds, self.axis)]

    def forward(self, worker: int) -> None:
        for piece, x in zip(self._pieces(self.y.parts[worker]), self.site.xs, strict=True):
            np.copyto(piece, x.parts[worker])

    def backward(self, worker: int) -> None:
        for piece, dxs in zip(self._pieces(self.dy[worker]), self.dxs, strict=True):
            if dxs is not None:
                np.copyto(dxs[worker], piece)
