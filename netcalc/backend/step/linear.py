"""The linear layer's operations: on vectors F,N, and on the rows of sequences N,T,F."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import BatchLayout, BufferPool, GradientBuffer
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.sums import add_to_channels, sum_of_rows
from netcalc.backend.step.tiles import has_rows, rows
from netcalc.backend.workers import Share
from netcalc.graph import Node
from netcalc.layers.linear import Linear
from netcalc.tensor import Shape


class LinearProduct(TrainingOperation):
    """y = W x + b;  dx = W^T dy,  dW = dy x^T,  db = sum of dy.

    Each worker computes the columns of y and dx for its samples, and some rows of dW for all samples, so
    that the gradient of a large weight is written only once.
    """

    joint = True
    layer: Linear

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is a linear layer on vectors."""
        return isinstance(node.layer, Linear) and len(node.output.shape) == 1

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        self.weight = binding.params["weight"]
        self.whole_x = _whole(self.x.buffers, self.x.layout)

    def forward(self, worker: int) -> None:
        y = self.y.parts[worker]
        np.matmul(self.weight, self.x.parts[worker], out=y)
        if self.layer.bias:
            add_to_channels(y, self.binding.params["bias"])

    def link(
        self, dy: GradientBuffer, wanted: Sequence[bool], pool: BufferPool
    ) -> list[GradientBuffer | None]:
        dy.users += 1  # the other workers may still read it when this one has moved on
        self.whole_dy = _whole(dy.buffers, self.y.layout)
        return super().link(dy, wanted, pool)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            np.matmul(self.weight.T, self.dy[worker], out=dxs[worker])
        self.runtime.workers.barrier(worker)
        if self.binding.node.is_frozen:
            return
        (dweight,) = self.binding.gradients["weight"]
        rows = Share(worker, self.runtime.workers.size).of(len(dweight))
        dy = self.whole_dy[rows]
        np.matmul(dy, self.whole_x.T, out=dweight[rows])
        if self.layer.bias:
            (dbias,) = self.binding.gradients["bias"]
            dbias[rows] = dy.sum(axis=1)


class RowProduct(TrainingOperation):
    """Y = X W^T + b, a row for each position;  dX = dY W,  dW = dY^T X,  db = sum of dY's rows."""

    layer: Linear

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is a linear layer on sequences."""
        return isinstance(node.layer, Linear) and has_rows(node.output.shape)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        self.weight = binding.params["weight"]

    def forward(self, worker: int) -> None:
        y = rows(self.y.parts[worker])
        np.matmul(rows(self.x.parts[worker]), self.weight.T, out=y)
        if self.layer.bias:
            y += self.binding.params["bias"]

    def backward(self, worker: int) -> None:
        (dxs,), dy = self.dxs, rows(self.dy[worker])
        if dxs is not None:
            np.matmul(dy, self.weight, out=rows(dxs[worker]))
        if self.binding.node.is_frozen:
            return
        gradients = self.binding.gradients
        np.matmul(dy.T, rows(self.x.parts[worker]), out=gradients["weight"][worker])
        if self.layer.bias:
            sum_of_rows(dy, out=gradients["bias"][worker])


def _whole(buffers: list[Array], layout: BatchLayout) -> Array:
    """The vectors of all samples, F,N."""
    (buffer,), (size,) = buffers, layout.sizes
    return buffer[:size].reshape(*layout.shape, -1, copy=False)
