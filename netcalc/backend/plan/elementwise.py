"""The steps that go over a tensor element by element, in blocks that stay in the cache."""

from collections.abc import Iterator
from functools import partial
from math import prod

import numpy as np

from netcalc.backend.convolution.base import Call, Scratch, blocks, tiled, widened
from netcalc.backend.folding import scale_and_shift
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.plan.activations import finisher
from netcalc.backend.plan.stages import MERGES
from netcalc.backend.plan.steps import BLOCK_ELEMENTS, Fused, Views


class Elementwise(Fused):
    """A batch norm, tensors joined element by element, or an activation, in blocks of rows."""

    name = "in blocks"

    def calls(self, views: Views) -> Iterator[Call]:
        out, xs = views.out(), [views.x(number) for number in range(len(views.xs))]
        shared = views.part.of(out.shape[1])
        rows = shared.stop - shared.start
        most_rows = max(1, BLOCK_ELEMENTS // prod(out.shape[2:]))
        if not rows:
            return
        for samples, inside in blocks(views.scratch, len(out), rows, most_rows):
            taken = slice(shared.start + inside.start, shared.start + inside.stop)
            y = out[samples, taken]
            read = [x[samples] if x.shape[1] == 1 else x[samples, taken] for x in xs]
            yield from self.combined(read, y, taken)
            yield from self.finished(y, views.scratch)

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        """The calls that write y."""
        raise NotImplementedError


class Activate(Elementwise):
    """An activation that could not follow its input in place."""

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        yield partial(np.copyto, y, xs[0])

    def finished(self, y: Array, scratch: Scratch) -> Iterator[Call]:
        finish = finisher(self.stage.node.layer)
        assert finish is not None
        return finish(y, scratch)


class Merge(Elementwise):
    """The sum, difference, product or quotient of tensors."""

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        rule = MERGES[self.stage.kind]
        yield partial(rule, xs[0], xs[1], y)
        for x in xs[2:]:
            yield partial(rule, y, x, y)


class Norm(Elementwise):
    """A batch norm that follows no convolution: y = scale x + shift."""

    def blank(self, dtype: np.dtype[np.floating]) -> None:
        channels = self.stage.node.output.shape[0]
        self.params = {"scale": np.zeros(channels, dtype), "shift": np.zeros(channels, dtype)}

    def prepare(self, params: Arrays, norm: Arrays) -> None:
        scale, shift = scale_and_shift(self.stage.node, params)
        dtype = params["running_var"].dtype
        self.params = {"scale": scale.astype(dtype), "shift": shift.astype(dtype)}

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        scale, shift = self.params["scale"], self.params["shift"]
        if y.ndim == 4:
            wide, x = widened(y), widened(xs[0])
            if wide.ndim == x.ndim:
                yield partial(np.multiply, x, tiled(scale, wide), wide)
                yield partial(np.add, wide, tiled(shift, wide), wide)
                return
        shape = (-1, *(1,) * (y.ndim - 2))
        channels_last = y.ndim == 4
        factors = [v if channels_last else v[rows].reshape(shape, copy=False) for v in (scale, shift)]
        yield partial(np.multiply, xs[0], factors[0], y)
        yield partial(np.add, y, factors[1], y)

    def channels_last(self, number: int) -> bool | None:
        return len(self.stage.node.output.shape) == 3 or None
