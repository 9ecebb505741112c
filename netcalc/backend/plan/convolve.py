"""The steps of convolutions: batch norm and bias in the weights, an algorithm, and the shares of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netcalc.backend.convolution.base import Algorithm, Call, Output
from netcalc.backend.convolution.direct import Direct
from netcalc.backend.folding import followed_by_norm
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.plan.activations import finisher
from netcalc.backend.plan.steps import Fused, Part, Views
from netcalc.backend.plan.tensors import Halo, Tensor

_LEAST_POSITIONS = 300
"""Fewer positions a worker, and it takes a share of the filters instead: half the weights to lay out."""
_LEAST_FILTERS = 16
_UNEVEN = 1.1


@dataclass
class Convolve(Fused):
    """A convolution of two spatial axes."""

    algorithm: Algorithm = field(default_factory=Direct)
    planar: bool = False
    groups: int = 1
    prepared: list[Array] = field(default_factory=list)

    @property
    def name(self) -> str:
        inside = self.groups > 1 and self.algorithm.name != "depthwise"
        return self.algorithm.name + (f", {self.groups} groups" if inside else "")

    def channels_last(self, number: int) -> bool | None:
        return not self.planar

    def halo(self, number: int, tensor: Tensor) -> Halo:
        layer: Any = self.stage.node.layer
        size = self.stage.node.output.shape[1:]
        reads = self.algorithm.reads(size)
        sides = zip(tensor.shape[1:], layer.pad, reads, strict=True)
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
        layer: Any = self.stage.node.layer
        if layer.bias or self.stage.norm is not None:
            self.params = {"bias": np.zeros(filters, dtype)}
        form = self.algorithm.form((filters // self._split, *rest))
        self.prepared = [np.zeros(form, dtype) for _ in range(self._split)]

    @property
    def weight_bytes(self) -> int:
        return sum(weight.nbytes for weight in self.prepared)

    @property
    def _split(self) -> int:
        """The groups that are convolutions of their own."""
        return 1 if self.algorithm.name == "depthwise" else self.groups

    def calls(self, views: Views) -> Iterator[Call]:
        x, output = self._read(views), self._output(views)
        groups = len(self.prepared)
        rows, filters = self.share(output.y, views.part)
        first, last = rows.start * self._stride, self.algorithm.reads((rows.stop, 1))[0]
        if rows.stop == rows.start or filters.stop == filters.start:
            return
        x = x[:, :, first:last] if self.planar else x[:, first:last]
        output = output.cut(rows=rows)
        if groups == 1:
            part = output.channels(filters)
            yield from self.algorithm.calls(x, self.prepared[0][..., filters], part, views.scratch)
            return
        inputs, outputs = x.shape[3] // groups, output.y.shape[3] // groups
        for group, weight in enumerate(self.prepared):
            read = x[..., group * inputs : (group + 1) * inputs]
            part = output.channels(slice(group * outputs, (group + 1) * outputs))
            yield from self.algorithm.calls(read, weight, part, views.scratch)

    @property
    def _stride(self) -> int:
        layer: Any = self.stage.node.layer
        stride: int = layer.stride[0]
        return stride

    def _read(self, views: Views) -> Array:
        """The input with the padding of this layer before it, of the halo that is there."""
        layer: Any = self.stage.node.layer
        tensor, whole = views.xs[0]
        top, left = (halo[0] - pad[0] for halo, pad in zip(tensor.halo, layer.pad, strict=True))
        height, width = self.algorithm.reads(self.stage.node.output.shape[1:])
        rows, columns = slice(top, top + height), slice(left, left + width)
        return whole[:, :, rows, columns] if self.planar else whole[:, rows, columns]

    def _output(self, views: Views) -> Output:
        return Output(views.out(), self.params.get("bias"), views.plus(), finisher(self.stage.activation))

    def share(self, y: Array, part: Part) -> tuple[slice, slice]:
        """Rows, or filters where rows are few or uneven."""
        samples, height, width, filters = y.shape
        unit = self.algorithm.row_unit
        units = -(-height // unit)
        uneven = -(-units // part.workers) * part.workers / units
        few = samples * height * width < _LEAST_POSITIONS * part.workers
        divides = self.groups == 1 and filters >= _LEAST_FILTERS * part.workers
        if part.workers > 1 and divides and (few or uneven > _UNEVEN):
            return slice(0, height), part.of(filters, _LEAST_FILTERS)
        return part.of(height, unit), slice(0, filters)
