"""The operation of a batch norm that is not folded into the weights before it."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from netcalc.backend.folding import scale_and_shift
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.plan.calls import Call, merged_rows, tiled
from netcalc.backend.plan.elementwise import BlockedElementwise
from netcalc.graph import Node
from netcalc.layers.normalisation import BatchNorm
from netcalc.tensor import Shape


class ScaleAndShift(BlockedElementwise):
    """y = scale x + shift, channel by channel."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, BatchNorm) and node.layer.running

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
            wide, x = merged_rows(y), merged_rows(xs[0])
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
