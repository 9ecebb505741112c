"""The common interface of convolution algorithms, and the output that they write to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.calls import Call, Epilogue, Scratch, flattened, merged_rows, tiled
from netcalc.layers.geometry import extent
from netcalc.tensor import Shape


@dataclass(frozen=True)
class ConvolutionOutput:
    """The output array N,H,W,C, its channels contiguous, and the bias, addition and activation for it."""

    y: Array
    bias: Array | None = None
    added: Array | None = None
    """A tensor of y's shape that is added before the activation."""
    activation: Epilogue | None = None

    def cut(self, samples: slice = slice(None), rows: slice = slice(None)) -> "ConvolutionOutput":
        """The part of some samples and rows."""
        added = None if self.added is None else self.added[samples, rows]
        return replace(self, y=self.y[samples, rows], added=added)

    def channels(self, part: slice) -> "ConvolutionOutput":
        """The part of some channels."""
        added = None if self.added is None else self.added[..., part]
        bias = None if self.bias is None else self.bias[part]
        return replace(self, y=self.y[..., part], bias=bias, added=added)

    def matrix(self, scratch: Scratch) -> Array:
        """Where a product writes a row for each position: y itself, or scratch where y has gaps."""
        flat = flattened(self.y)
        if flat is not None:
            return flat
        return scratch.take((prod(self.y.shape[:3]), self.y.shape[3]), self.y.dtype)

    def epilogue(self, scratch: Scratch, rows: Array | None = None) -> Iterator[Call]:
        """The calls that copy a product's rows to y if they are not in it, then apply the rest in place."""
        source = self.y
        if rows is not None and flattened(self.y) is None:
            source = rows.reshape(self.y.shape, copy=False)
        if self.bias is not None:
            y, read = merged_rows(self.y), merged_rows(source)
            if y.ndim != read.ndim:
                y, read = self.y, source
            yield partial(np.add, read, tiled(self.bias, y), y)
        elif source is not self.y:
            yield partial(np.copyto, self.y, source)
        if self.added is not None:
            yield partial(np.add, self.y, self.added, self.y)
        if self.activation is not None:
            yield from self.activation(self.y, scratch)


class Algorithm(Protocol):
    """One way to compute a convolution, chosen for a layer and its shapes.

    The input comes with its padding around it, N,H,W,C.
    """

    @property
    def name(self) -> str:
        """Its usual name."""

    @property
    def row_unit(self) -> int:
        """Output rows that are computed together; workers share them out in such units."""

    def reads(self, size: Shape) -> Shape:
        """How much padded input it reads along each axis for an output of H,W."""

    def form(self, weight: Shape) -> Shape:
        """The shape of prepared weights, for weights out,in,k,k."""

    def prepared(self, weight: Array) -> Array:
        """The weights out,in,k,k in the form that `calls` takes, output channels last."""

    def calls(self, x: Array, weight: Array, output: ConvolutionOutput, scratch: Scratch) -> Iterator[Call]:
        """The calls that compute the output, in order."""


def input_size(size: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Shape:
    """The padded input along each axis that the windows of `size` outputs span."""
    axes = zip(size, stride, kernel, dilation, strict=True)
    return tuple((n - 1) * s + extent(k, d) for n, s, k, d in axes)


def windows(x: Array, size: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Array:
    """The view N,H,W,k,k,C of the window that each of H x W outputs reads from a padded input N,.,.,C."""
    n, h, w, c = x.strides
    shape = (x.shape[0], *size, *kernel, x.shape[3])
    return as_strided(
        x, shape, (n, h * stride[0], w * stride[1], h * dilation[0], w * dilation[1], c), writeable=False
    )
