"""The convolution's operation: the algorithm, the folded weights, and the workers' shares."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from netcalc.backend.folding import followed_by_norm
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.plan.buffers import Halo, PlannedTensor
from netcalc.backend.plan.calls import Call
from netcalc.backend.plan.convolution.algorithm import Algorithm, ConvolutionOutput
from netcalc.backend.plan.convolution.choice import (
    algorithm,
    is_image_convolution,
    is_planar,
)
from netcalc.backend.plan.convolution.direct import Direct
from netcalc.backend.plan.epilogues import epilogue_of
from netcalc.backend.plan.fusion import FusedStage
from netcalc.backend.plan.operations import Operands, Placement, WithEpilogue
from netcalc.backend.workers import Share
from netcalc.graph import Node
from netcalc.layers.convolution import Correlation
from netcalc.tensor import Shape

_LEAST_POSITIONS = 300
"""With fewer positions a worker, the workers share the filters instead, and each packs only its weights."""
_LEAST_FILTERS = 16
_UNEVEN = 1.1


@dataclass
class FusedConvolution(WithEpilogue):
    """A 2D convolution with its bias, batch norm, addition and activation."""

    algorithm: Algorithm = field(default_factory=Direct)
    planar: bool = False
    groups: int = 1
    prepared: list[Array] = field(default_factory=list)

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return is_image_convolution(node.layer)

    @classmethod
    def of(cls, stage: FusedStage, placement: Placement) -> Self:
        layer, channels = stage.node.layer, placement.shape[0]
        assert is_image_convolution(layer)
        planar = placement.reads_input and is_planar(layer, channels)
        size = stage.node.output.shape[1:]
        chosen = algorithm(layer, channels, size, placement.samples, placement.dtype, planar)
        return cls(stage, {}, chosen, planar, layer.in_groups(channels))

    @property
    def layer(self) -> Correlation:
        """The convolution."""
        layer = self.stage.node.layer
        assert is_image_convolution(layer)
        return layer

    @property
    def name(self) -> str:
        inside = self.groups > 1 and self.algorithm.name != "depthwise"
        return self.algorithm.name + (f", {self.groups} groups" if inside else "")

    def channels_last(self, number: int) -> bool | None:
        return not self.planar

    def halo(self, number: int, tensor: PlannedTensor) -> Halo:
        size = self.stage.node.output.shape[1:]
        reads = self.algorithm.reads(size)
        sides = zip(tensor.shape[1:], self.layer.pad, reads, strict=True)
        top, left = ((before, max(0, read - before - length)) for length, (before, _), read in sides)
        return top, left

    def gives_channels_last(self, first: bool) -> bool:
        return True

    def prepare(self, params: Arrays, norm: Arrays) -> None:
        weight, bias = followed_by_norm(params["weight"], params.get("bias"), self.stage.norm, norm)
        self.params = {} if bias is None else {"bias": bias}
        self.prepared = [self.algorithm.prepared(part) for part in np.split(weight, self._split)]

    def blank(self, dtype: np.dtype[np.floating]) -> None:
        filters, *rest = self.stage.node.params[0].shape
        if self.layer.bias or self.stage.norm is not None:
            self.params = {"bias": np.zeros(filters, dtype)}
        form = self.algorithm.form((filters // self._split, *rest))
        self.prepared = [np.zeros(form, dtype) for _ in range(self._split)]

    @property
    def weight_bytes(self) -> int:
        return sum(weight.nbytes for weight in self.prepared)

    @property
    def _split(self) -> int:
        """How many groups are computed as convolutions of their own."""
        return 1 if self.algorithm.name == "depthwise" else self.groups

    def calls(self, operands: Operands) -> Iterator[Call]:
        x, output = self._read(operands), self._output(operands)
        groups = len(self.prepared)
        rows, filters = self.share(output.y, operands.share)
        first, last = rows.start * self.layer.stride[0], self.algorithm.reads((rows.stop, 1))[0]
        if rows.stop == rows.start or filters.stop == filters.start:
            return
        x = x[:, :, first:last] if self.planar else x[:, first:last]
        output = output.cut(rows=rows)
        if groups == 1:
            part = output.channels(filters)
            yield from self.algorithm.calls(x, self.prepared[0][..., filters], part, operands.scratch)
            return
        inputs, outputs = x.shape[3] // groups, output.y.shape[3] // groups
        for group, weight in enumerate(self.prepared):
            read = x[..., group * inputs : (group + 1) * inputs]
            part = output.channels(slice(group * outputs, (group + 1) * outputs))
            yield from self.algorithm.calls(read, weight, part, operands.scratch)

    def _read(self, operands: Operands) -> Array:
        """The input with this layer's padding, which is part of the tensor's halo."""
        tensor, whole = operands.xs[0]
        top, left = (halo[0] - pad[0] for halo, pad in zip(tensor.halo, self.layer.pad, strict=True))
        height, width = self.algorithm.reads(self.stage.node.output.shape[1:])
        rows, columns = slice(top, top + height), slice(left, left + width)
        return whole[:, :, rows, columns] if self.planar else whole[:, rows, columns]

    def _output(self, operands: Operands) -> ConvolutionOutput:
        activation = epilogue_of(self.stage.activation)
        return ConvolutionOutput(operands.out(), self.params.get("bias"), operands.plus(), activation)

    def share(self, y: Array, share: Share) -> tuple[slice, slice]:
        """A share of the rows, or of the filters where rows are few or do not divide evenly."""
        samples, height, width, filters = y.shape
        unit = self.algorithm.row_unit
        units = -(-height // unit)
        uneven = -(-units // share.workers) * share.workers / units
        few = samples * height * width < _LEAST_POSITIONS * share.workers
        divides = self.groups == 1 and filters >= _LEAST_FILTERS * share.workers
        if share.workers > 1 and divides and (few or uneven > _UNEVEN):
            return slice(0, height), share.of(filters, _LEAST_FILTERS)
        return share.of(height, unit), slice(0, filters)
