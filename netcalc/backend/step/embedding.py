"""Learned tables and tensors, and rotary positions."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels import Context
from netcalc.backend.kernels.base import Array, unbroadcast
from netcalc.backend.kernels.embedding import token_numbers
from netcalc.backend.kernels.parts import SortedRows
from netcalc.backend.step.buffers import BufferPool, GradientBuffer, natural
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.tiles import has_rows, rows
from netcalc.graph import Node
from netcalc.layers import embedding
from netcalc.layers.errors import LayerError
from netcalc.tensor import Shape


class TableLookup(TrainingOperation):
    """y[..., d] = W[x[...], d];  dW[r, d] = sum of dy[..., d] where x[...] is r."""

    layer: embedding.Embedding

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this gives a sequence."""
        return isinstance(node.layer, embedding.Embedding) and has_rows(node.output.shape)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        self.weight = binding.params["weight"]
        self.read = [np.zeros(rows(y).shape[0], np.int64) for y in self.y.parts]
        """The rows that each worker reads."""

    def forward(self, worker: int) -> None:
        x = natural(self.x.parts[worker], self.x.rank)
        try:
            self.read[worker][...] = token_numbers(x, self.layer.entries).reshape(-1, copy=None)
        except LayerError:  # the kernel refuses them too, and the network says where
            self.runtime.network.apply(self.binding.node, (x,), Context(training=True))
        np.take(self.weight, self.read[worker], axis=0, out=rows(self.y.parts[worker]), mode="clip")

    def backward(self, worker: int) -> None:
        (dxs,), dy = self.dxs, rows(self.dy[worker])
        if dxs is not None:
            dxs[worker][...] = 0
        if self.binding.node.is_frozen:
            return
        ordered = self.runtime.scratch("ordered", worker, *dy.shape)
        SortedRows(self.read[worker]).sum(dy, ordered, out=self.binding.gradients["weight"][worker])


class LearnedTensor(TrainingOperation):
    """y = x + W: dx = dy and dW = sum of dy.  y = x W: dx = dy W, dW = sum of dy x.

    W before x along an axis: each takes its part of dy. The sums are over what W was stretched along.
    """

    layer: embedding.Parameter

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether a learned tensor is joined to sequences."""
        return isinstance(node.layer, embedding.Parameter) and has_rows(node.output.shape)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.join = self.layer.join
        over = self.x if self.join == "add" and self.x.can_overwrite else None
        self.y = binding.output(overwriting=over)
        self.weight = binding.params["weight"]

    def forward(self, worker: int) -> None:
        x, y = self.x.parts[worker], self.y.parts[worker]
        if self.join == "add":
            np.add(x, self.weight, out=y)
        elif self.join == "multiply":
            np.multiply(x, self.weight, out=y)
        else:
            own, rest = self._split(y)
            own[...] = self.weight
            np.copyto(rest, x)

    def link(
        self, dy: GradientBuffer, wanted: Sequence[bool], pool: BufferPool
    ) -> list[GradientBuffer | None]:
        if self.join != "add":
            return super().link(dy, wanted, pool)
        self.dy, self.dxs = self.y.layout.parts(dy.buffers), [None]
        dy.users += sum(wanted)
        return [dy if wanted[0] else None]

    def backward(self, worker: int) -> None:
        (dxs,), dy, x = self.dxs, self.dy[worker], self.x.parts[worker]
        dweight = self.binding.gradients["weight"][worker]
        if self.join == "prepend":
            own, rest = self._split(dy)
            np.sum(own, axis=0, out=dweight)
            if dxs is not None:
                np.copyto(dxs[worker], rest)
            return
        product = dy
        if self.join == "multiply":
            product = np.multiply(dy, x, out=self.runtime.scratch("products", worker, *dy.shape))
            if dxs is not None:
                np.multiply(dy, self.weight, out=dxs[worker])
        if dweight.shape == dy.shape[1:]:
            np.sum(product, axis=0, out=dweight)
        else:
            dweight[...] = unbroadcast(product, dweight.shape)

    def _split(self, array: Array) -> tuple[Array, Array]:
        """The part of W and that of x."""
        axis = self.layer.axis % self.weight.ndim + 1
        own, rest = np.split(array, [self.weight.shape[axis - 1]], axis)
        return own, rest
