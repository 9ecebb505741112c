"""What the algorithms share: calls made beforehand, the place where results go, and scratch memory.

An algorithm does not compute: it yields calls, NumPy functions bound to views of memory that stays where
it is. Running a network again and again is then going through a list.

Where a view is taken in another shape, `copy=False` says that it must stay a view: a copy would be made
once, of what has not been computed yet.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.tensor import Shape

Call = Callable[[], object]
Cut = tuple[slice, ...]
Finisher = Callable[[Array, "Scratch"], Iterator[Call]]

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector."""


class Scratch:
    """Memory that a step may write to while it runs, handed out anew to each step.

    Without memory it hands out views that must not be touched, and `most` tells in the end how many
    bytes are needed.
    """

    def __init__(self, memory: Array | None = None) -> None:
        self._memory = memory
        self._taken = 0
        self.most = 0

    @property
    def is_measured(self) -> bool:
        """Whether there is no memory, but `most` to be found out."""
        return self._memory is None

    def take(self, shape: Shape, dtype: np.dtype[np.floating]) -> Array:
        """An array whose content is not defined."""
        start = self._taken
        self._taken += -(-prod(shape) * dtype.itemsize // ALIGNMENT) * ALIGNMENT
        self.most = max(self.most, self._taken)
        if self._memory is None:
            return untouchable(shape, dtype)
        flat = self._memory[start : start + prod(shape) * dtype.itemsize]
        return flat.view(dtype).reshape(shape, copy=False)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """A context at whose end all that was taken inside is free again."""
        taken = self._taken
        yield
        self._taken = taken


def untouchable(shape: Shape, dtype: np.dtype[np.floating]) -> Array:
    """An array of any size that has strides but no memory, for planning alone."""
    strides = [prod(shape[axis + 1 :]) * dtype.itemsize for axis in range(len(shape))]
    return as_strided(np.empty(1, dtype), shape, strides)


@dataclass(frozen=True)
class Output:
    """Where results go, N,H,W,C with the channels side by side, and what becomes of them in place."""

    y: Array
    bias: Array | None = None
    added: Array | None = None
    """What is added to the result before the activation, of y's shape."""
    activation: Finisher | None = None

    def cut(self, samples: slice = slice(None), rows: slice = slice(None)) -> "Output":
        """The part of some samples and rows."""
        added = None if self.added is None else self.added[samples, rows]
        return replace(self, y=self.y[samples, rows], added=added)

    def channels(self, part: slice) -> "Output":
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

    def finished(self, scratch: Scratch, rows: Array | None = None) -> Iterator[Call]:
        """The calls that bring a product's rows to y where they are not there yet, and finish y."""
        source = self.y
        if rows is not None and flattened(self.y) is None:
            source = rows.reshape(self.y.shape, copy=False)
        if self.bias is not None:
            y, read = widened(self.y), widened(source)
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
        """What people call it."""

    @property
    def row_unit(self) -> int:
        """Output rows that are made together, so that workers share them out in such units."""

    def reads(self, size: Shape) -> Shape:
        """How much padded input it reads along each axis for an output of H,W."""

    def form(self, weight: Shape) -> Shape:
        """The shape of prepared weights, for weights out,in,k,k."""

    def prepared(self, weight: Array) -> Array:
        """The weights out,in,k,k in the form that `calls` takes, output channels last."""

    def calls(self, x: Array, weight: Array, output: Output, scratch: Scratch) -> Iterator[Call]:
        """What to do, in order."""


def flattened(x: Array) -> Array | None:
    """N,H,W,C as a view with a row for each position, or None where there are gaps between rows."""
    n, h, w, c = x.shape
    pixel = x.strides[2] if w > 1 else x.strides[1] if h > 1 else x.strides[0]
    if (h > 1 and x.strides[1] != w * pixel) or (n > 1 and x.strides[0] != h * w * pixel):
        return None
    return as_strided(x, (n * h * w, c), (pixel, x.strides[3]))


def widened(x: Array) -> Array:
    """N,H,W,C as N,H,(W C) where the pixels of a row follow each other: longer runs for NumPy's loops."""
    n, h, w, c = x.shape
    if x.strides[3] == x.itemsize and (w == 1 or x.strides[2] == c * x.itemsize):
        return as_strided(x, (n, h, w * c), (*x.strides[:2], x.itemsize))
    return x


def tiled(vector: Array, y: Array) -> Array:
    """A value for each channel, repeated over a row where y is widened."""
    return np.tile(vector, y.shape[-1] // vector.size) if y.ndim == 3 else vector


def blocks(
    scratch: Scratch, samples: int, rows: int, most_rows: int, unit: int = 1
) -> Iterator[tuple[slice, slice]]:
    """Samples and rows in blocks of at most `most_rows` rows: whole samples together, or parts of one.

    Scratch that is taken for a block is free again for the next one. The first block is the largest, so
    that it is the only one where the scratch is measured.
    """
    together = max(1, most_rows // rows)
    count = -(-rows // max(unit, most_rows // unit * unit))
    step = -(-rows // (count * unit)) * unit
    for first in range(0, samples, together):
        for row in range(0, rows, step):
            with scratch.lent():
                yield slice(first, min(first + together, samples)), slice(row, min(row + step, rows))
            if scratch.is_measured:
                return


def windows(x: Array, size: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Array:
    """The view N,H,W,k,k,C of what each of H x W outputs reads of a padded input N,.,.,C."""
    n, h, w, c = x.strides
    shape = (x.shape[0], *size, *kernel, x.shape[3])
    return as_strided(
        x, shape, (n, h * stride[0], w * stride[1], h * dilation[0], w * dilation[1], c), writeable=False
    )
