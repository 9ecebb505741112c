"""The tensors of a plan: their layouts, and their places in memory by lifetime."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.calls import ALIGNMENT
from netcalc.tensor import Shape

Halo = tuple[tuple[int, int], tuple[int, int]]
NO_HALO: Halo = ((0, 0), (0, 0))


@dataclass
class PlannedTensor:
    """One sample of a tensor: its layout, and its lifetime.

    `shape` is the graph's. A tensor C,H,W is stored with the channels last or first, with a halo of zeros
    around H and W, which is the padding of the convolutions that read it.
    """

    name: str
    shape: Shape
    dtype: np.dtype[np.generic]
    channels_last: bool
    halo: Halo = NO_HALO
    born: int = -1
    dies: int = -1
    shared: bool = False
    """Whether all workers use the whole batch of it, rather than each its own samples."""
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
        """The bytes of a number of samples, in whole cache lines."""
        return -(-samples * prod(self.held) * self.dtype.itemsize // ALIGNMENT) * ALIGNMENT

    def whole(self, memory: Array, samples: int) -> Array:
        """The array with its halo, N,H,W,C where the channels are last."""
        start = self.offset
        flat = memory[start : start + samples * prod(self.held) * self.dtype.itemsize]
        return flat.view(self.dtype).reshape(samples, *self.held, copy=False)

    def inner(self, whole: Array) -> Array:
        """The part inside the halo."""
        if len(self.shape) != 3:
            return whole
        _, h, w = self.shape
        (top, _), (left, _) = self.halo
        rows, columns = slice(top, top + h), slice(left, left + w)
        return whole[:, rows, columns] if self.channels_last else whole[:, :, rows, columns]

    def natural(self, inner: Array) -> Array:
        """The inner part as N,C,H,W, in either layout."""
        return inner.transpose(0, 3, 1, 2) if self.channels_last and inner.ndim == 4 else inner

    def image(self, whole: Array) -> Array:
        """The part inside an image's halo as N,H,W,C, in either layout."""
        inner = self.inner(whole)
        return inner if self.channels_last else inner.transpose(0, 2, 3, 1)

    def borders(self, whole: Array, rows: slice | None = None, channels: slice = slice(None)) -> list[Array]:
        """The parts of the halo before, between and after some rows, by default all; none that is empty.

        The halo right of a row and that left of the next row are contiguous, so that one call fills both.
        """
        if len(self.shape) != 3 or self.halo == NO_HALO:
            return []
        image = (whole if self.channels_last else whole.transpose(0, 2, 3, 1))[..., channels]
        n, height, width, c = image.shape
        sample, _, pixel, channel = image.strides
        pixels = as_strided(image, (n, height * width, c), (sample, pixel, channel))
        _, h, w = self.shape
        (top, _), (left, right) = self.halo
        rows = rows or slice(0, h)
        sides = []
        if rows.start == 0 < rows.stop:
            sides.append(pixels[:, : top * width + left])
        between = min(rows.stop, h - 1) - rows.start
        if between > 0 and left + right:
            after = pixels[:, (top + rows.start) * width + left + w :]
            shape, strides = (n, between, left + right, c), (sample, width * pixel, pixel, channel)
            sides.append(as_strided(after, shape, strides))
        if rows.start < rows.stop == h:
            sides.append(pixels[:, (top + h - 1) * width + left + w :])
        return [side for side in sides if side.size]


def place(tensors: Sequence[PlannedTensor], samples: int) -> int:
    """Assign offsets so that tensors with overlapping lifetimes do not overlap in memory; returns the bytes.

    Greedy by size: the largest tensor first, each at the lowest offset that is free all its lifetime.
    """
    done: list[PlannedTensor] = []
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
