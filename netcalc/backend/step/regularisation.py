"""Operations of layers that drop at random; every worker draws the numbers of its own samples."""

from collections.abc import Sequence
from math import prod

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import BufferPool, GradientBuffer, natural, stored
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.graph import Node
from netcalc.layers.regularisation import Dropout, StochasticDepth
from netcalc.tensor import Shape


class RandomDrop(TrainingOperation):
    """y = x f with f = 0 with the chance `rate` and else 1 / (1 - rate);  dx = dy f.

    A factor is of an element, a channel or a sample. Where nothing is dropped y is x.
    """

    layer: Dropout | StochasticDepth

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, Dropout | StochasticDepth)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        is_same = not self.layer.rate
        self.y = binding.output(
            overwriting=self.x if is_same or self.x.can_overwrite else None,
            lasting=is_same and not self.x.can_overwrite,  # others read x, too
        )
        self.drawn = self._drawn()
        rated = enumerate(self.y.parts if self.layer.rate else ())
        self.factors = [self._new_factors(worker, y) for worker, y in rated]

    def _drawn(self) -> Shape:
        """The axes of a sample that factors differ along."""
        shape = self.y.layout.shape
        if isinstance(self.layer, StochasticDepth):
            return ()
        return shape[:1] if self.layer.channels else shape

    def _new_factors(self, worker: int, y: Array) -> Array:
        if self.layer.rate == 1:
            return np.zeros((1,) * y.ndim, y.dtype)
        samples = natural(y, self.y.rank).shape[0]
        extra = self.y.rank - len(self.drawn)
        return stored(self.binding.saved("factors", worker, samples, *self.drawn, *(1,) * extra))

    def forward(self, worker: int) -> None:
        if self.layer.rate:
            factors = self.factors[worker]
            if self.layer.rate < 1:
                np.greater_equal(self._numbers(worker), self.layer.rate, out=factors)
                factors *= 1 / (1 - self.layer.rate)
            np.multiply(self.x.parts[worker], factors, out=self.y.parts[worker])

    def _numbers(self, worker: int) -> Array:
        """This worker's part of the numbers that `Network.run` draws for the whole batch."""
        share, each = self.runtime.shares[worker], prod(self.drawn)
        rng = self.runtime.random(self.binding.number)
        assert isinstance(rng.bit_generator, np.random.PCG64)
        skipped = share.start * each
        rng.bit_generator.advance(skipped // 2)  # two numbers in float32 take one step
        if skipped % 2:
            rng.random(dtype=np.float32)
        samples = share.stop - share.start
        numbers = self.runtime.scratch("random", worker, samples * each, dtype=np.float32)
        rng.random(out=numbers, dtype=np.float32)
        extra = self.y.rank - len(self.drawn)
        return stored(numbers.reshape(samples, *self.drawn, *(1,) * extra, copy=False))

    def link(
        self, dy: GradientBuffer, wanted: Sequence[bool], pool: BufferPool
    ) -> list[GradientBuffer | None]:
        if self.layer.rate:
            return self.link_in_place(dy, wanted, pool)
        dy.users += sum(wanted)
        self.dxs = [None]
        return [dy if want else None for want in wanted]

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            np.multiply(self.dy[worker], self.factors[worker], out=dxs[worker])
