"""Operations that only move elements: other layouts and shapes, tensors side by side."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from netcalc.backend.plan.calls import Call
from netcalc.backend.plan.operations import Operands, RowParallel
from netcalc.graph import Node
from netcalc.layers.merge import Concat
from netcalc.layers.shape import Flatten
from netcalc.tensor import Shape


class Copy(RowParallel):
    """A copy of a tensor in another layout or shape."""

    name = "copy"

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, Flatten) and len(node.output.shape) == 1

    def gives_channels_last(self, first: bool) -> bool:
        return False

    def calls(self, operands: Operands) -> Iterator[Call]:
        (tensor, _), (source, _) = operands.y, operands.xs[0]
        out, x = tensor.natural(operands.out()), operands.naturals()[0]
        if tensor.shape != source.shape:
            out = out.reshape(x.shape, copy=False)
        axis = 2 if x.ndim == 4 else 1
        rows = (slice(None),) * axis + (operands.share.of(x.shape[axis]),)
        yield partial(np.copyto, out[rows], x[rows])


class ChannelConcat(RowParallel):
    """Tensors side by side along the channels."""

    name = "copy"

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, Concat) and len(shapes[0]) == 3 and node.layer.axis in (0, -3)

    def channels_last(self, number: int) -> bool | None:
        return True

    def gives_channels_last(self, first: bool) -> bool:
        return True

    def calls(self, operands: Operands) -> Iterator[Call]:
        out = operands.out()
        rows = operands.share.of(out.shape[1])
        first = 0
        for number in range(len(operands.xs)):
            x = operands.x(number)
            last = first + x.shape[3]
            yield partial(np.copyto, out[:, rows, :, first:last], x[:, rows])
            first = last
