"""Where the tensors of a plan lie: their layouts, and their places in memory by lifetimes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from netcalc.backend.convolution.base import ALIGNMENT
from netcalc.backend.kernels.base import Array
from netcalc.tensor import Shape

Halo = tuple[tuple[int, int], tuple[int, int]]
NO_HALO: Halo = ((0, 0), (0, 0))


@dataclass
class Tensor:
    """One sample's tensor as it is held, and when.

    `shape` is the graph's. A tensor C,H,W is held with the channels last or in its natural order, with a
    halo of zeros around H and W that saves convolutions their padding.
    """

    name: str
    shape: Shape
    dtype: np.dtype[np.generic]
    channels_last: bool
    halo: Halo = NO_HALO
    born: int = -1
    dies: int = -1
    shared: bool = False
    """Whether all workers see the whole batch of it, rather than each its own samples."""
    offset: int = 0

    @property
    def held(self) -> Shape:
        """The shape in memory, without the batch."""
        if len(self.shape) != 3:
            return self.shape
        c, h, w = self.shape
        space = (h + sum(self.halo[0]), w + sum(self.halo[1]))
        return (*space, c) if self.channels_last else (c, *space)

    def nbytes(self, samples: int) -> int:
        """The bytes of so many samples, in whole cache lines."""
        return -(-samples * prod(self.held) * self.dtype.itemsize // ALIGNMENT) * ALIGNMENT

    def whole(self, memory: Array, samples: int) -> Array:
        """The array with its halo, N,H,W,C where the channels are last."""
        start = self.offset
        flat = memory[start : start + samples * prod(self.held) * self.dtype.itemsize]
        return flat.view(self.dtype).reshape(samples, *self.held, copy=False)

    def inner(self, whole: Array) -> Array:
        """What lies inside the halo."""
        if len(self.shape) != 3:
            return whole
        _, h, w = self.shape
        (top, _), (left, _) = self.halo
        rows, columns = slice(top, top + h), slice(left, left + w)
        return whole[:, rows, columns] if self.channels_last else whole[:, :, rows, columns]

    def natural(self, inner: Array) -> Array:
        """The inner part as N,C,H,W, whatever its layout."""
        return inner.transpose(0, 3, 1, 2) if self.channels_last and inner.ndim == 4 else inner

    def borders(self, whole: Array) -> list[Array]:
        """The four sides of the halo, those that are there."""
        if len(self.shape) != 3 or self.halo == NO_HALO:
            return []
        image = whole if self.channels_last else whole.transpose(0, 2, 3, 1)
        _, h, w = self.shape
        (top, _), (left, _) = self.halo
        sides = [
            image[:, :top],
            image[:, top + h :],
            image[:, top : top + h, :left],
            image[:, top : top + h, left + w :],
        ]
        return [side for side in sides if side.size]


def placed(tensors: Sequence[Tensor], samples: int) -> int:
    """Give each tensor its offset, so that those that live together lie apart; the bytes of all.

    The largest first, each at the lowest place that is free all its life.
    """
    done: list[Tensor] = []
    for tensor in sorted(tensors, key=lambda t: (-t.nbytes(samples), t.born, t.name)):
        size = tensor.nbytes(samples)
        offset = 0
        for other in sorted(done, key=lambda t: t.offset):
            if other.born <= tensor.dies and tensor.born <= other.dies:
                if offset + size <= other.offset:
                    break
                offset = max(offset, other.offset + other.nbytes(samples))
        tensor.offset = offset
        done.append(tensor)
    return max((t.offset + t.nbytes(samples) for t in done), default=0)
