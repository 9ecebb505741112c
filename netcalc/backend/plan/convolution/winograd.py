"""Winograd's minimal filtering: m x m outputs of an r x r kernel by (m + r - 1)^2 products a channel.

    Y = A^T [(G g G^T) * (B^T d B)] A

for a tile d of the input and a kernel g (Lavin and Gray 2016). With n = m + r - 1 evaluation points p,
the last of them infinity, it is the transposed form of Toom's and Cook's polynomial product:
A[i, j] = p_i^j, G[i, j] = p_i^j / prod over k != i of (p_i - p_k), and row i of B^T holds the
coefficients of prod over k != i of (x - p_k). F(2x2,3x3) takes 2.25 times fewer products than the
plain sum, F(4x4,3x3) 4 times, F(2x2,5x5) 2.8 times; the larger the tiles, the more rounding.

All tiles' products at one of the n x n places are one matrix product over the channels. The transforms
are small matrix products over views, which need no copy of the overlapping tiles.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.calls import Call, Scratch, blocks
from netcalc.backend.plan.convolution.algorithm import ConvolutionOutput
from netcalc.tensor import Shape

_POINTS = (0, 1, -1, 2, -2)
_ONE = 1
"""The place of the point 1 in it, at which A is 1 throughout."""
_BLOCK_TILES = 128
"""Tiles in each matrix product, if there are that many; with fewer, packing the weights takes too long."""
_BLOCK_WEIGHTS = 2**12
"""Kernels whose transforms are computed together, so that they stay in the cache."""


@dataclass(frozen=True)
class Winograd:
    """F(m x m, r x r) at stride 1; `outputs` is m, `kernel` is r."""

    outputs: int
    kernel: int

    @property
    def name(self) -> str:
        m, r = self.outputs, self.kernel
        return f"Winograd F({m}x{m},{r}x{r})"

    @property
    def row_unit(self) -> int:
        return self.outputs

    @property
    def tile(self) -> int:
        """n, the input positions of a tile along each axis."""
        return self.outputs + self.kernel - 1

    @cached_property
    def transforms(self) -> tuple[Array, Array, Array]:
        """A^T, G and B^T."""
        points = np.array(_POINTS[: self.tile - 1], np.float64)
        others = [np.delete(points, i) for i in range(len(points))]
        scale = [np.prod(p - rest) for p, rest in zip(points, others, strict=True)]
        a = np.vander(points, self.outputs, increasing=True)
        g = np.vander(points, self.kernel, increasing=True) / np.array(scale)[:, None]
        b = [np.append(np.poly(rest)[::-1], 0) for rest in others]
        a = np.vstack([a, np.eye(self.outputs)[-1:]])
        g = np.vstack([g, np.eye(self.kernel)[-1:]])
        return a.T, g, np.vstack([*b, np.poly(points)[::-1]])

    def reads(self, size: Shape) -> Shape:
        return tuple(-(-n // self.outputs) * self.outputs + self.kernel - 1 for n in size)

    def form(self, weight: Shape) -> Shape:
        return self.tile**2, weight[1], weight[0]

    def prepared(self, weight: Array) -> Array:
        """G g G^T as one product with the Kronecker product of G and G, in float64."""
        filters, channels = weight.shape[:2]
        _, g, _ = self.transforms
        both = np.kron(g, g)
        result = np.empty(self.form(weight.shape), weight.dtype)
        step = max(1, _BLOCK_WEIGHTS // filters)
        for first in range(0, channels, step):
            part = slice(first, first + step)
            cells = weight[:, part].transpose(2, 3, 1, 0).astype(np.float64, order="C")
            product = both @ cells.reshape(both.shape[1], -1, copy=False)
            result[:, part] = product.reshape(len(both), -1, filters, copy=False)
        return result

    def calls(self, x: Array, weight: Array, output: ConvolutionOutput, scratch: Scratch) -> Iterator[Call]:
        n, h, w, _ = output.y.shape
        m = self.outputs
        across = -(-w // m)
        most_rows = max(1, _BLOCK_TILES // across) * m
        for samples, rows in blocks(scratch, n, h, most_rows, m):
            part = output.cut(samples, rows)
            down = -(-(rows.stop - rows.start) // m)
            tiles = x[samples, rows.start : rows.start + down * m + self.kernel - 1]
            transformed = scratch.take((self.tile, self.tile, len(tiles), down, across, x.shape[3]), x.dtype)
            yield from self._input_transform(tiles, transformed, scratch)
            products = scratch.take((*transformed.shape[:5], part.y.shape[3]), x.dtype)
            flat = (self.tile**2, -1)
            yield partial(
                np.matmul,
                transformed.reshape(*flat, transformed.shape[5], copy=False),
                weight,
                products.reshape(*flat, products.shape[5], copy=False),
            )
            if part.bias is not None:
                place = products[_ONE, _ONE]
                yield partial(np.add, place, part.bias, place)
            yield from self._output_transform(products, part.y, scratch)
            yield from ConvolutionOutput(part.y, None, part.added, part.activation).epilogue(scratch)

    def _input_transform(self, x: Array, transformed: Array, scratch: Scratch) -> Iterator[Call]:
        """B^T d B: along whole rows of pixels first, then tile by tile."""
        n, _, samples, down, across, channels = transformed.shape
        bt = self.transforms[2].astype(x.dtype)
        width = across * self.outputs + self.kernel - 1
        s, h, w, c = x.strides
        rows = as_strided(x, (samples, down, n, width * channels), (s, h * self.outputs, h, c))
        half = scratch.take((n, samples, down, width * channels), x.dtype)
        if w == channels * c:
            yield partial(np.matmul, bt, rows, half.transpose(1, 2, 0, 3))
        else:
            pixels = as_strided(x, (samples, down, width, n, channels), (s, h * self.outputs, w, h, c))
            parts = half.reshape(n, samples, down, width, channels, copy=False)
            yield partial(np.matmul, bt, pixels, parts.transpose(1, 2, 3, 0, 4))
        pixel = channels * x.itemsize
        tiles = as_strided(
            half,
            (n, samples, down, across, n, channels),
            (*half.strides[:3], pixel * self.outputs, pixel, x.itemsize),
        )
        yield partial(np.matmul, bt, tiles, transformed.transpose(0, 2, 3, 4, 1, 5))

    def _output_transform(self, products: Array, y: Array, scratch: Scratch) -> Iterator[Call]:
        """A^T M A into y; the last tiles may reach over its edges and then give fewer outputs."""
        n, _, samples, down, across, channels = products.shape
        m = self.outputs
        at = self.transforms[0].astype(y.dtype)
        half = scratch.take((m, *products.shape[1:]), y.dtype)
        yield partial(np.matmul, at, products.reshape(n, -1, copy=False), half.reshape(m, -1, copy=False))
        parts = half.transpose(2, 3, 0, 4, 1, 5)
        for i, in_tile, rows in _edges(down, m, y.shape[1]):
            for j, columns, pixels in _edges(across, m, y.shape[2]):
                shape = (samples, i.stop - i.start, in_tile, j.stop - j.start, columns, channels)
                s, h, w, c = y.strides
                target = as_strided(y[:, rows, pixels], shape, (s, h * m, h, w * m, w, c))
                yield partial(np.matmul, at[:columns], parts[:, i, :in_tile, j], target)


def _edges(tiles: int, outputs: int, size: int) -> Iterator[tuple[slice, int, slice]]:
    """The tiles along an axis that lie inside, then a last one that does not, with the outputs of each."""
    whole, rest = divmod(size, outputs)
    if whole:
        yield slice(0, whole), outputs, slice(0, whole * outputs)
    if rest:
        yield slice(whole, tiles), rest, slice(whole * outputs, size)
