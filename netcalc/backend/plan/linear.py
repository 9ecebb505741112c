"""The linear layer's operation."""

from collections.abc import Generator, Iterator, Sequence
from functools import partial

import numpy as np

from netcalc.backend.folding import followed_by_norm
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.plan.calls import Call, Scratch
from netcalc.backend.plan.operations import Operands, WithEpilogue
from netcalc.graph import Node
from netcalc.layers.linear import Linear
from netcalc.tensor import Shape


class FusedLinear(WithEpilogue):
    """y = x W^T + b over all positions together; the workers share the output features, or the positions."""

    name = "product"

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, Linear)

    def channels_last(self, number: int) -> bool | None:
        return False

    def gives_channels_last(self, first: bool) -> bool:
        return False

    def prepare(self, params: Arrays, norm: Arrays) -> None:
        weight, bias = followed_by_norm(params["weight"], params.get("bias"), self.stage.norm, norm)
        self.params = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}

    @property
    def weight_bytes(self) -> int:
        return 0 if self.stage.norm is None else self.params["weight"].nbytes

    def calls(self, operands: Operands) -> Iterator[Call]:
        weight, scratch = self.params["weight"], operands.scratch
        y = operands.out().reshape(-1, len(weight), copy=False)
        rows, columns = slice(None), slice(None)
        if len(y) >= len(weight):
            rows = operands.share.of(len(y))
        else:
            columns = operands.share.of(len(weight))
        y = y[rows, columns]
        if not y.size:
            return
        x = yield from _matrix(operands.x(), scratch)
        if len(x) == 1:
            yield partial(np.matmul, weight[columns], x[0], y[0])
        else:
            yield partial(np.matmul, x[rows], weight[columns].T, y)
        if "bias" in self.params:
            yield partial(np.add, y, self.params["bias"][columns], y)
        added = operands.plus()
        if added is not None:
            matrix = yield from _matrix(added, scratch)
            yield partial(np.add, y, matrix[rows, columns], y)
        yield from self.epilogue(y, scratch)


def _matrix(array: Array, scratch: Scratch) -> Generator[Call, None, Array]:
    """An array as a row for each position; a copy where a halo leaves gaps between the rows."""
    try:
        return array.reshape(-1, array.shape[-1], copy=False)
    except ValueError:
        packed = scratch.take(array.shape, array.dtype)
    yield partial(np.copyto, packed, array)
    return packed.reshape(-1, array.shape[-1], copy=False)
