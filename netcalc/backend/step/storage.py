"""Where a training step keeps its tensors: in one buffer each, the batch innermost.

    a sample is    its tensor is kept as
    C,H,W          H,C,W,N: for each worker an array of its own samples
    F              F,N: one array, of which each worker has its columns
    other          N,...: as users have it

With the batch innermost a row of an image is W x N contiguous numbers, also when it is shifted by a
cell: what makes a convolution's columns, a pool's cells and a channel's sums are long runs, at any
image size. And a matrix F,N is multiplied by a layer's weights as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod

from netcalc.backend.kernels.base import Array
from netcalc.tensor import Shape


def natural(array: Array, rank: int) -> Array:
    """A view of a kept array with the batch in front: N,C,H,W or N,F."""
    if rank == 3:
        return array.transpose(3, 1, 0, 2)
    return array.T if rank == 1 else array


def kept(array: Array) -> Array:
    """The inverse of `natural`: a view of an array N,... in the order of axes that is kept."""
    if array.ndim == 4:
        return array.transpose(2, 1, 3, 0)
    return array.T if array.ndim == 2 else array


@dataclass(frozen=True)
class Layout:
    """How the samples of a shape are kept, and which are whose."""

    shape: Shape
    shares: Sequence[slice]

    @property
    def sizes(self) -> list[int]:
        """How many numbers each of its buffers holds: one a worker, or one for all."""
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
class Slot:
    """The buffers of a tensor; tensors whose lives do not overlap take them in turn."""

    buffers: list[Array]
    vectors: bool
    users: int = 1
    """Tensors that lie in it now: a sum passes its gradient on to all it has added, as it is."""


@dataclass(eq=False)
class Pool:
    """Slots for gradients, given out and taken back while the way back is laid out.

    A worker is never in another one's part of a slot: buffers are a worker's own, and those of vectors
    are shared out by columns, always the same.
    """

    zeros: Callable[[int], Array]
    _free: list[Slot] = field(default_factory=list)

    def take(self, layout: Layout) -> Slot:
        """The smallest free slot that is large enough, or a new one."""
        vectors = len(layout.shape) == 1
        fitting = [slot for slot in self._free if slot.vectors == vectors and _fits(layout, slot)]
        if not fitting:
            return Slot([self.zeros(size) for size in layout.sizes], vectors)
        slot = min(fitting, key=lambda slot: slot.buffers[0].size)
        self._free.remove(slot)
        slot.users = 1
        return slot

    def release(self, slot: Slot) -> None:
        """One tensor less lies in a slot."""
        slot.users -= 1
        if not slot.users:
            self._free.append(slot)


def _fits(layout: Layout, slot: Slot) -> bool:
    return all(buffer.size >= size for buffer, size in zip(slot.buffers, layout.sizes, strict=True))


@dataclass(eq=False)
class Value:
    """A tensor of the way forward: its buffers, and the samples of each worker in them."""

    layout: Layout
    buffers: list[Array]
    readers: int
    """Layers that read it, and one more where it is an output of the network."""
    spare: bool = True
    """Whether its only reader may write over it: the way back of the layer that made it needs it not."""

    def __post_init__(self) -> None:
        self.parts = self.layout.parts(self.buffers)

    @property
    def rank(self) -> int:
        """How many axes a sample has."""
        return len(self.layout.shape)

    @property
    def expendable(self) -> bool:
        """Whether its reader may write over it."""
        return self.spare and self.readers == 1
