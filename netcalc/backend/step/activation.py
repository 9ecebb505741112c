"""Operations of smooth activations, of gates and of softmax."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import BufferPool, GradientBuffer
from netcalc.backend.step.curves import Curve, curve_of
from netcalc.backend.step.operations import Binding, Runtime, TrainingOperation
from netcalc.backend.step.tiles import has_rows, row_tiles, rows, tiles
from netcalc.graph import Node
from netcalc.layers.gating import GATES, GLU
from netcalc.layers.geometry import resolve_axis
from netcalc.layers.softmax import LogSoftmax, Softmax
from netcalc.tensor import Shape


class SmoothActivation(TrainingOperation):
    """y = f(x);  dx = dy f'(x). The derivative is computed with y, over x if nothing else reads it."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether `curves.py` has the function."""
        return curve_of(node.layer) is not None

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        self.curve = _curve(binding.node)
        self.slopes = binding.saved_beside(self.x, "slopes")
        self.tiles = [tiles(*arrays) for arrays in zip(self.x.parts, self.y.parts, self.slopes, strict=True)]

    def forward(self, worker: int) -> None:
        for x, y, slope in self.tiles[worker]:
            self.curve(x, y, slope, *_workspaces(self.runtime, worker, x))

    def link(
        self, dy: GradientBuffer, wanted: Sequence[bool], pool: BufferPool
    ) -> list[GradientBuffer | None]:
        return self.link_in_place(dy, wanted, pool)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            np.multiply(self.dy[worker], self.slopes[worker], out=dxs[worker])


class GatedUnit(TrainingOperation):
    """y = a f(b) with a, b the halves of x's features;  da = dy f(b),  db = dy a f'(b).

    What dy is multiplied with is computed with y, over x if nothing else reads it.
    """

    layer: GLU

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this halves the features of a sequence, and `curves.py` has the gate's function."""
        layer = node.layer
        if not (isinstance(layer, GLU) and has_rows(shapes[0]) and layer.gate in GATES):
            return False
        is_last = resolve_axis(layer.axis, len(shapes[0]), "axis") == len(shapes[0]) - 1
        return is_last and curve_of(GATES[layer.gate]()) is not None

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        self.curve = _curve(binding.node)
        self.slopes = [_halves(slope) for slope in binding.saved_beside(self.x, "slopes")]
        self.tiles = [
            row_tiles(rows(y), *_halves(x), *own)
            for y, x, own in zip(self.y.parts, self.x.parts, self.slopes, strict=True)
        ]

    def forward(self, worker: int) -> None:
        for y, a, b, a_slope, b_slope in self.tiles[worker]:
            first, second = _workspaces(self.runtime, worker, y)
            gate = self.runtime.scratch("gate", worker, *y.shape)
            gate_slope = self.runtime.scratch("gate's slope", worker, *y.shape)
            self.curve(b, gate, gate_slope, first, second)
            np.multiply(a, gate, out=y)
            np.multiply(a, gate_slope, out=b_slope)
            np.copyto(a_slope, gate)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            dy = rows(self.dy[worker])
            for slope, dx in zip(self.slopes[worker], _halves(dxs[worker]), strict=True):
                np.multiply(dy, slope, out=dx)


class RowSoftmax(TrainingOperation):
    """y = exp(x - max) / sum of exp(x - max) over the features;  dx = y (dy - sum of dy y).

    The logarithm of it is x - max - log of the sum, with dx = dy - exp(y) sum of dy. Written over x if
    nothing else reads it.
    """

    layer: Softmax

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is over the last axis of a sequence."""
        layer, rank = node.layer, len(shapes[0])
        if not (isinstance(layer, Softmax) and has_rows(shapes[0])):
            return False
        return resolve_axis(layer.axis, rank, "axis") == rank - 1

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output(overwriting=self.x if self.x.can_overwrite else None, overwritable=False)
        self.is_log = isinstance(self.layer, LogSoftmax)
        self.tiles = [row_tiles(rows(x), rows(y)) for x, y in zip(self.x.parts, self.y.parts, strict=True)]

    def forward(self, worker: int) -> None:
        for x, y in self.tiles[worker]:
            np.subtract(x, x.max(axis=-1, keepdims=True), out=y)
            if self.is_log:
                exponentials = self.runtime.scratch("first workspace", worker, *y.shape)
                y -= np.log(np.exp(y, out=exponentials).sum(axis=-1, keepdims=True))
            else:
                np.exp(y, out=y)
                y /= y.sum(axis=-1, keepdims=True)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is None:
            return
        for y, dy, dx in row_tiles(rows(self.y.parts[worker]), rows(self.dy[worker]), rows(dxs[worker])):
            if self.is_log:
                np.exp(y, out=dx)
                dx *= -dy.sum(axis=-1, keepdims=True)
                dx += dy
            else:
                np.subtract(dy, np.vecdot(dy, y)[:, np.newaxis], out=dx)
                dx *= y


def _curve(node: Node) -> Curve:
    curve = curve_of(GATES[node.layer.gate]() if isinstance(node.layer, GLU) else node.layer)
    assert curve is not None
    return curve


def _halves(array: Array) -> tuple[Array, Array]:
    """The first and the second half of the features, as matrices."""
    matrix = rows(array)
    half = matrix.shape[1] // 2
    return matrix[:, :half], matrix[:, half:]


def _workspaces(runtime: Runtime, worker: int, tile: Array) -> tuple[Array, Array]:
    """Two arrays for intermediate results of a tile."""
    first, second = (
        runtime.scratch(f"{which} workspace", worker, *tile.shape) for which in ("first", "second")
    )
    return first, second
