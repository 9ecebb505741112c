"""Operations of a plan: each yields the calls of one fused stage, on the arrays it is bound to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import ClassVar, NamedTuple, Self

import numpy as np

from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.plan.buffers import NO_HALO, Halo, PlannedTensor
from netcalc.backend.plan.calls import Call, Scratch, blocks
from netcalc.backend.plan.epilogues import epilogue_of
from netcalc.backend.plan.fusion import FusedStage
from netcalc.backend.workers import Share
from netcalc.graph import Node
from netcalc.tensor import Shape

BLOCK_ELEMENTS = 2**16
"""Elements of an output that is read and written several times, so that they stay in the cache."""


class Operands(NamedTuple):
    """What an operation is bound to: its tensors, each with its array and halo, and scratch memory."""

    xs: tuple[tuple[PlannedTensor, Array], ...]
    y: tuple[PlannedTensor, Array]
    added: tuple[PlannedTensor, Array] | None
    scratch: Scratch
    share: Share

    def x(self, number: int = 0) -> Array:
        """An input without its halo."""
        tensor, whole = self.xs[number]
        return tensor.inner(whole)

    def naturals(self) -> tuple[Array, ...]:
        """All inputs, channels first."""
        return tuple(tensor.natural(tensor.inner(whole)) for tensor, whole in self.xs)

    def out(self) -> Array:
        """The output without its halo."""
        tensor, whole = self.y
        return tensor.inner(whole)

    def plus(self) -> Array | None:
        """The tensor that is added to the output."""
        return None if self.added is None else self.added[0].inner(self.added[1])


class Placement(NamedTuple):
    """What the choice of an algorithm depends on, apart from the layer."""

    shape: Shape
    """That of the first input."""
    reads_input: bool
    """Whether this is an input of the network, N,C,H,W."""
    samples: int
    """How many samples are computed together."""
    dtype: np.dtype[np.floating]


@dataclass
class InferenceOperation:
    """One fused stage. Subclasses say which layers they can run, in which layout, and yield the calls."""

    is_fast: ClassVar[bool] = True
    """Whether the workers share its work, and all its memory is the plan's."""

    stage: FusedStage
    params: dict[str, Array] = field(default_factory=dict)

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this operation can run a layer that reads samples of such shapes."""
        raise NotImplementedError

    @classmethod
    def of(cls, stage: FusedStage, placement: Placement) -> Self:
        """The operation for a stage that fits."""
        return cls(stage)

    @property
    def name(self) -> str:
        """The algorithm, in words."""
        raise NotImplementedError

    def channels_last(self, number: int) -> bool | None:
        """Whether an input C,H,W has its channels last; None where it follows the first, which is free."""
        return None

    def gives_channels_last(self, first: bool) -> bool:
        """Whether its output C,H,W has its channels last, given whether its first input has."""
        raise NotImplementedError

    def halo(self, number: int, tensor: PlannedTensor) -> Halo:
        """The zeros that it needs around an input."""
        return NO_HALO

    def prepare(self, params: Arrays, norm: Arrays) -> None:
        """Take the layer's arrays, and those of a batch norm that is folded into them."""
        self.params = dict(params)

    def blank(self, dtype: np.dtype[np.floating]) -> None:
        """Take arrays of the right shapes, whose values are not read, to measure memory."""
        self.params = {param.name: np.zeros(param.shape, dtype) for param in self.stage.node.params}
        if self.stage.norm is not None:
            self.params["bias"] = np.zeros(self.stage.node.params[0].shape[0], dtype)

    @property
    def weight_bytes(self) -> int:
        """The bytes of weights that it holds in addition to the network's own."""
        return 0

    def share(self, y: Array, share: Share) -> tuple[slice, slice]:
        """The rows and channels that a worker writes of an output N,H,W,C."""
        raise NotImplementedError

    def calls(self, operands: Operands) -> Iterator[Call]:
        """The calls of one worker."""
        raise NotImplementedError


class RowParallel(InferenceOperation):
    """An operation whose workers share the rows of an image."""

    def share(self, y: Array, share: Share) -> tuple[slice, slice]:
        return share.of(y.shape[1]), slice(0, y.shape[3])

    def row_blocks(self, operands: Operands) -> Iterator[tuple[slice, slice]]:
        """The samples and rows that a worker writes of the output, in blocks that stay in the cache."""
        out = operands.out()
        own = operands.share.of(out.shape[1])
        if own.stop == own.start:
            return
        most_rows = max(1, BLOCK_ELEMENTS // prod(out.shape[2:]))
        for samples, rows in blocks(operands.scratch, len(out), own.stop - own.start, most_rows):
            yield samples, slice(own.start + rows.start, own.start + rows.stop)


class WithEpilogue(RowParallel):
    """An operation that may end with an activation, applied in place."""

    def epilogue(self, y: Array, scratch: Scratch) -> Iterator[Call]:
        apply = epilogue_of(self.stage.activation)
        return iter(()) if apply is None else apply(y, scratch)
