"""Layers without an operation of their own: worker 0 runs the layer's kernel."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from netcalc.backend.kernels import KERNELS, Context, Kernel
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.plan.calls import Call
from netcalc.backend.plan.operations import InferenceOperation, Operands
from netcalc.backend.workers import Share
from netcalc.graph import Node
from netcalc.layers import Layer
from netcalc.tensor import Shape


class KernelFallback(InferenceOperation):
    """The layer's kernel, which every layer has."""

    name = "kernel"
    is_fast = False

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return True

    def gives_channels_last(self, first: bool) -> bool:
        return first and self.stage.node.layer.keeps_layout

    def share(self, y: Array, share: Share) -> tuple[slice, slice]:
        every = slice(0, y.shape[1]), slice(0, y.shape[3])
        return every if share.is_first else (slice(0, 0), slice(0, 0))

    def calls(self, operands: Operands) -> Iterator[Call]:
        if operands.share.is_first:
            tensor, _ = operands.y
            layer = self.stage.node.layer
            yield partial(_run, KERNELS[layer.kind], layer, self.params, operands.naturals(),
                          out=tensor.natural(operands.out()))  # fmt: skip


def _run(kernel: Kernel, layer: Layer, params: Arrays, xs: tuple[Array, ...], out: Array) -> None:
    y, _ = kernel(layer, params, xs, Context())
    np.copyto(out, y)
