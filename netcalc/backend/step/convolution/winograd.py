"""Winograd's F(2x2,3x3): 2 x 2 outputs of a 3x3 kernel by 16 products a channel instead of 36.

    Y = A^T [(G g G^T) * (B^T d B)] A,    B^T = 1  0 -1  0    G = 1    0    0     A^T = 1  1  1  0
                                                0  1  1  0        1/2  1/2  1/2         0  1 -1 -1
                                                0 -1  1  0        1/2 -1/2  1/2
                                                0  1  0 -1        0    0    1

for a tile d of 4 x 4 inputs and a kernel g (Lavin and Gray 2016). Its rounding error stays at the level of
the plain sum's, which that of larger tiles does not: gradients need it.

B and A hold no other numbers than 0, 1 and -1, so that the transforms are sums of long rows. For this the
input is copied with its even and its odd columns apart: neighbouring tiles then stand side by side, and what
a tile takes from its right neighbour is a shift by one pixel, W, N. All happens in blocks of tile rows, which
stay in the cache.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import pixels
from netcalc.backend.step.operations import Runtime
from netcalc.backend.step.windows import WindowAxis

Call = Callable[[], object]
_G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
_BLOCK_ELEMENTS = 2**17
"""Of transformed inputs: those of a block, their products and their sums are in the second-level cache."""
_LEAST_CHANNELS = 32
"""With fewer, the transforms take more time than the products save."""
_MOST_BYTES = 4
"""Of a number: float64 is chosen for accuracy, and computed by plain sums."""


class WinogradCorrelation:
    """y[o, h, w] = sum over c, i, j of W[o, c, i, j] x[c, h + i - p, w + j - p'], for one worker.

    `weight` is a view O,C,3,3, read at each call.
    """

    @staticmethod
    def fits(weight: Array, axes: Sequence[WindowAxis]) -> bool:
        """Whether it can compute a correlation by a weight G,O,C,..., and is faster at it."""
        groups, *channels = weight.shape[:3]
        plain = len(axes) == 2 and all(axis[1:3] == (3, 1) and axis.dilation == 1 for axis in axes)
        small = weight.itemsize <= _MOST_BYTES
        return plain and groups == 1 and small and min(channels) >= _LEAST_CHANNELS

    def __init__(
        self, runtime: Runtime, worker: int, x: Array, y: Array, weight: Array, axes: Sequence[WindowAxis]
    ) -> None:
        self._x, self._y, self._weight = x, y, weight
        self._before = [axis.before for axis in axes]
        height, filters, across, batch = y.shape
        channels = x.shape[1]
        self._tiles = -(-height // 2), -(-across // 2)
        down, beside = self._tiles
        run = beside * batch
        most = max(1, min(down, _BLOCK_ELEMENTS // (16 * channels * run)))

        def scratch(purpose: str, *shape: int) -> Array:
            return runtime.scratch(f"Winograd's {purpose}", worker, *shape)

        # one more pixel than tiles, so that a shift by a pixel is one by N elements of all there is
        wide = run + batch
        self._columns = scratch("columns", 2, 2 * most + 2, channels, beside + 1, batch)
        self._half = scratch("half", 4, 2 * most + 2, channels, wide)
        self._transformed = scratch("tiles", 4, 4, most, channels, wide)
        self._products = scratch("products", 4, 4, most, filters, run)
        self._sums = scratch("sums", 2, 4, most, filters, run)
        self._kernels = scratch("kernels", 4, 4, 1, filters, channels)
        self._transform = np.kron(_G, _G).astype(weight.dtype)
        starts = range(0, down, most)
        self._calls = [call for start in starts for call in self._block(start, min(most, down - start))]

    def run(self) -> None:
        filters, channels = self._weight.shape[:2]
        cells = self._weight.transpose(2, 3, 0, 1).reshape(9, -1, copy=None)
        np.matmul(self._transform, cells, out=self._kernels.reshape(16, filters * channels, copy=False))
        for call in self._calls:
            call()

    def _block(self, start: int, tiles: int) -> Iterator[Call]:
        """The calls for some rows of tiles."""
        yield from self._copies(2 * start, 2 * tiles + 2)
        yield from self._input_transform(tiles)
        products = self._products[:, :, :tiles]
        transformed = self._transformed[:, :, :tiles, :, : products.shape[4]]
        yield partial(np.matmul, self._kernels, transformed, products)
        yield from self._output_transform(products, start, tiles)

    def _copies(self, first: int, count: int) -> Iterator[Call]:
        """The padded input's rows from `first` on, even and odd columns apart, with zeros where it ends."""
        height = len(self._x)
        top, left = self._before
        inside = range(max(0, top - first), max(0, min(count, height + top - first)))
        rows = self._x[max(0, first - top) :][: len(inside)]
        for parity, columns in enumerate(self._columns):
            if len(inside) < count:
                yield partial(columns[:count].fill, 0)
            # the padded columns 2 q + parity are the input's 2 q + parity - left
            skipped = max(0, (left - parity + 1) // 2)
            source = rows[:, :, 2 * skipped + parity - left :: 2][:, :, : columns.shape[2] - skipped]
            if source.size:
                target = columns[inside.start : inside.stop, :, skipped : skipped + source.shape[2]]
                yield partial(np.copyto, pixels(target), pixels(source))

    def _input_transform(self, tiles: int) -> Iterator[Call]:
        """B^T d B: first along the columns. What stands after a row's last tile is not read."""
        even, odd = (part[: 2 * tiles + 2].reshape(-1, copy=False) for part in self._columns)
        half = [part[: 2 * tiles + 2].reshape(-1, copy=False) for part in self._half]
        shift = self._x.shape[3]
        d0, d1, d2, d3 = even[:-shift], odd[:-shift], even[shift:], odd[shift:]
        yield from _differences(d0, d1, d2, d3, [part[:-shift] for part in half])
        d0, d1, d2, d3 = (self._half[:, first : first + 2 * tiles : 2] for first in range(4))
        yield from _differences(d0, d1, d2, d3, [part[:, :tiles] for part in self._transformed])

    def _output_transform(self, products: Array, start: int, tiles: int) -> Iterator[Call]:
        """A^T M A into y, whose last row or column may lack a tile's second one."""
        sums = self._sums[:, :, :tiles]
        yield partial(np.add, products[1], products[2], sums[0])
        yield partial(np.add, sums[0], products[0], sums[0])
        yield partial(np.subtract, products[1], products[2], sums[1])
        yield partial(np.subtract, sums[1], products[3], sums[1])
        first, second, third, fourth = (sums[:, column] for column in range(4))
        yield partial(np.add, first, second, first)
        yield partial(np.add, first, third, first)
        yield partial(np.subtract, second, third, second)
        yield partial(np.subtract, second, fourth, second)
        y = self._y[2 * start : 2 * (start + tiles)]
        for a in range(2):
            for b, column in enumerate((first, second)):
                target = y[a::2, :, b::2]
                source = column[a].reshape(*column.shape[1:3], -1, y.shape[3], copy=False)
                yield partial(np.copyto, pixels(target), pixels(source[: len(target), :, : target.shape[2]]))


def _differences(d0: Array, d1: Array, d2: Array, d3: Array, out: Sequence[Array]) -> Iterator[Call]:
    """B^T d along one axis."""
    yield partial(np.subtract, d0, d2, out[0])
    yield partial(np.add, d1, d2, out[1])
    yield partial(np.subtract, d2, d1, out[2])
    yield partial(np.subtract, d1, d3, out[3])
