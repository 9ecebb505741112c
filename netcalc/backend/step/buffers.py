"""How a training step stores its tensors: each in a buffer of its own, the batch innermost.

    a sample is    its tensor is stored as
    C,H,W          H,C,W,N: for each worker an array of its own samples
    F              F,N: one array, of which each worker has its columns
    other          N,...: the order of the network's inputs and outputs

With the batch innermost a row of an image is W x N contiguous elements, also when it is shifted by a
cell: a convolution's columns, a pool's cells and a channel's sums are long runs at any image size. And a
matrix F,N is multiplied by a layer's weights without a transpose.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
import numpy.typing as npt

from netcalc.backend.kernels.base import Array
from netcalc.tensor import Shape

_CACHE_LINE = 64
"""Bytes. NumPy aligns arrays to 16; vectors of 64 bytes that cross lines take up to twice the time."""


def aligned_zeros(shape: int | Shape, dtype: npt.DTypeLike) -> Array:
    """Zeros whose first element begins a cache line."""
    kind = np.dtype(dtype)
    size = prod(shape) if isinstance(shape, tuple) else shape
    whole = np.zeros(size * kind.itemsize + _CACHE_LINE, np.uint8)
    start = -whole.ctypes.data % _CACHE_LINE
    return whole[start : start + size * kind.itemsize].view(kind).reshape(shape, copy=False)


def natural(array: Array, rank: int) -> Array:
    """A view of a stored array with the batch in front: N,C,H,W or N,F."""
    if rank == 3:
        return array.transpose(3, 1, 0, 2)
    return array.T if rank == 1 else array


def stored(array: Array) -> Array:
    """The inverse of `natural`: a view of an array N,... in the stored order of axes."""
    if array.ndim == 4:
        return array.transpose(2, 1, 3, 0)
    return array.T if array.ndim == 2 else array


def pixels(array: Array) -> Array:
    """A view of an array ...,W,N whose elements are the N of a pixel: a copy then moves a pixel at a time.

    That is faster where it skips pixels, so that it has no longer runs than those.
    """
    return array.view(np.dtype((np.void, array.shape[-1] * array.itemsize)))[..., 0]


@dataclass(frozen=True)
class BatchLayout:
    """How the samples of a shape are stored, and which worker has which."""

    shape: Shape
    shares: Sequence[slice]

    @property
    def sizes(self) -> list[int]:
        """The elements of each of its buffers: one buffer a worker, or one for all."""
        numel = prod(self.shape)
        if len(self.shape) == 1:
            return [numel * self.shares[-1].stop]
        return [numel * (share.stop - share.start) for share in self.shares]

    def parts(self, buffers: list[Array]) -> list[Array]:
        """Each worker's samples in such buffers, which may be larger."""
        own = [buffer[:size] for buffer, size in zip(buffers, self.sizes, strict=True)]
        if len(self.shape) == 1:
            return [own[0].reshape(*self.shape, -1, copy=False)[:, share] for share in self.shares]
        if len(self.shape) == 3:
            channels, height, width = self.shape
            return [buffer.reshape(height, channels, width, -1, copy=False) for buffer in own]
        return [buffer.reshape(-1, *self.shape, copy=False) for buffer in own]


@dataclass(eq=False)
class GradientBuffer:
    """The memory of one gradient; gradients whose lifetimes do not overlap use it in turn.

    So do outputs that no backward reads.
    """

    buffers: list[Array]
    vectors: bool
    users: int = 1
    """Tensors that are in it now: a sum gives its own gradient to all its terms, without a copy."""


@dataclass(eq=False)
class BufferPool:
    """Gradient buffers, taken and released in the order in which a pass is lowered.

    A worker never uses another one's part of a buffer: images have one array a worker, and vectors are
    always shared by the same columns.
    """

    zeros: Callable[[int], Array]
    _free: list[GradientBuffer] = field(default_factory=list)

    def take(self, layout: BatchLayout) -> GradientBuffer:
        """The smallest free buffer that is large enough, or a new one."""
        vectors = len(layout.shape) == 1
        fitting = [free for free in self._free if free.vectors == vectors and _fits(layout, free)]
        if not fitting:
            return GradientBuffer([self.zeros(size) for size in layout.sizes], vectors)
        found = min(fitting, key=lambda free: free.buffers[0].size)
        self._free.remove(found)
        found.users = 1
        return found

    def release(self, buffer: GradientBuffer) -> None:
        """Remove one user; without users the buffer is free."""
        buffer.users -= 1
        if not buffer.users:
            self._free.append(buffer)


def _fits(layout: BatchLayout, free: GradientBuffer) -> bool:
    return all(buffer.size >= size for buffer, size in zip(free.buffers, layout.sizes, strict=True))


@dataclass(eq=False)
class BoundTensor:
    """A tensor of the forward pass: its buffers, and each worker's samples in them."""

    layout: BatchLayout
    buffers: list[Array]
    readers: int
    """How many layers read it, plus one where it is an output of the network."""
    overwritable: bool = True
    """Whether its only reader may overwrite it: its own layer's backward does not read it."""
    memory: GradientBuffer | None = None
    """The buffer of a pool that it is in."""

    def __post_init__(self) -> None:
        self.parts = self.layout.parts(self.buffers)

    @property
    def rank(self) -> int:
        """How many axes a sample has."""
        return len(self.layout.shape)

    @property
    def can_overwrite(self) -> bool:
        """Whether its reader may overwrite it."""
        return self.overwritable and self.readers == 1
