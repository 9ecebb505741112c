"""Operations that go over tensors element by element, in blocks that stay in the cache."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.kernels.merge import MERGES
from netcalc.backend.plan.calls import Call, Scratch
from netcalc.backend.plan.epilogues import EPILOGUES, epilogue_of
from netcalc.backend.plan.operations import Operands, WithEpilogue
from netcalc.graph import Node
from netcalc.tensor import Shape


class BlockedElementwise(WithEpilogue):
    """A function of each element of one tensor or several, computed in blocks of rows."""

    name = "in blocks"

    def gives_channels_last(self, first: bool) -> bool:
        return first

    def calls(self, operands: Operands) -> Iterator[Call]:
        out, xs = operands.out(), [operands.x(number) for number in range(len(operands.xs))]
        for samples, rows in self.row_blocks(operands):
            y = out[samples, rows]
            read = [x[samples] if x.shape[1] == 1 else x[samples, rows] for x in xs]
            yield from self.combined(read, y, rows)
            yield from self.epilogue(y, operands.scratch)

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        """The calls that write y."""
        raise NotImplementedError


class UnfusedActivation(BlockedElementwise):
    """An activation that is not fused into the layer before it."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return node.layer.kind in EPILOGUES

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        yield partial(np.copyto, y, xs[0])

    def epilogue(self, y: Array, scratch: Scratch) -> Iterator[Call]:
        apply = epilogue_of(self.stage.node.layer)
        assert apply is not None
        return apply(y, scratch)


class Merge(BlockedElementwise):
    """The sum, difference, product or quotient of tensors."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return node.layer.kind in MERGES

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        rule = MERGES[self.stage.kind]
        yield partial(rule, xs[0], xs[1], y)
        for x in xs[2:]:
            yield partial(rule, y, x, y)
