"""A convolution of few channels, from an input N,C,H,W as images come: columns with the positions inside.

y[p, o] = sum over c, k of columns[(c, k), p] W[(c, k), o]. The columns are long runs of one channel's
rows. With a stride s the input is split into s x s phases first, of which each kernel cell reads one
without gaps: x[s p + k] = phase[k mod s][p + k // s].
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product, repeat
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.calls import Call, Scratch, blocks
from netcalc.backend.plan.convolution.algorithm import ConvolutionOutput, input_size
from netcalc.tensor import Shape

_BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class Planar:
    """Columns by kernel cell; the input is N,C,H,W with its padding around it."""

    kernel: Shape
    stride: Shape
    name: str = "im2col of planes"
    row_unit: int = 1

    def reads(self, size: Shape) -> Shape:
        return input_size(size, self.kernel, self.stride, (1, 1))

    def form(self, weight: Shape) -> Shape:
        return prod(weight[1:]), weight[0]

    def prepared(self, weight: Array) -> Array:
        parts = [weight[:, :, i :: self.stride[0], j :: self.stride[1]] for i, j in self._offsets()]
        return np.ascontiguousarray(
            np.concatenate([part.reshape(len(weight), -1, copy=None) for part in parts], 1).T
        )

    def calls(self, x: Array, weight: Array, output: ConvolutionOutput, scratch: Scratch) -> Iterator[Call]:
        n, h, w, _ = output.y.shape
        most_rows = max(1, _BLOCK_BYTES // (len(weight) * w * x.itemsize))
        for sample, _ in blocks(scratch, n, 1, 1):
            phases = list(self._phases(x[sample.start]))
            if self.stride != (1, 1):
                phases = [scratch.take(phase.shape, x.dtype) for phase in phases]
                yield from map(partial, repeat(np.copyto), phases, self._phases(x[sample.start]))
            for _, rows in blocks(scratch, 1, h, most_rows):
                part = output.cut(sample, rows)
                size = (rows.stop - rows.start, w)
                columns = scratch.take((len(weight), prod(size)), x.dtype)
                matrix = part.matrix(scratch)
                yield from self._columns(phases, rows.start, size, columns)
                yield partial(np.matmul, columns.T, weight, matrix)
                yield from part.epilogue(scratch, matrix)

    def _offsets(self) -> Iterator[tuple[int, int]]:
        """The offsets of the phases that a kernel cell reads."""
        (down, right), (height, width) = self.stride, self.kernel
        return product(range(min(down, height)), range(min(right, width)))

    def _phases(self, x: Array) -> Iterator[Array]:
        for i, j in self._offsets():
            yield x[:, i :: self.stride[0], j :: self.stride[1]]

    def _columns(self, phases: list[Array], row: int, size: Shape, columns: Array) -> Iterator[Call]:
        first = 0
        for (i, j), phase in zip(self._offsets(), phases, strict=True):
            cells = (-(-(self.kernel[0] - i) // self.stride[0]), -(-(self.kernel[1] - j) // self.stride[1]))
            shape = (phase.shape[0], *cells, *size)
            channel, down, right = phase.strides
            read = as_strided(phase[:, row:], shape, (channel, down, right, down, right), writeable=False)
            last = first + prod(shape[:3])
            yield partial(np.copyto, columns[first:last].reshape(shape, copy=False), read)
            first = last
