"""Any convolution as a matrix product: the columns that each output reads are copied, then multiplied.

y[p, o] = sum over k, c of columns[p, (k, c)] W[(k, c), o] with columns[p, (k, c)] = x[s p + d k, c]
(Chellapilla, Puri and Simard 2006). The columns of a few rows at a time stay in the cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.calls import Call, Scratch, blocks
from netcalc.backend.plan.convolution.algorithm import ConvolutionOutput, input_size, windows
from netcalc.tensor import Shape

_FEW_CHANNELS = 128
_BLOCK_BYTES = 2**21
_WIDE_BLOCK_BYTES = 2**22
"""With many channels the weights outgrow the columns, and each product packs them anew."""


@dataclass(frozen=True)
class Im2col:
    """Columns in blocks of rows."""

    kernel: Shape
    stride: Shape
    dilation: Shape
    name: str = "im2col"
    row_unit: int = 1

    def reads(self, size: Shape) -> Shape:
        return input_size(size, self.kernel, self.stride, self.dilation)

    def form(self, weight: Shape) -> Shape:
        return prod(weight[1:]), weight[0]

    def prepared(self, weight: Array) -> Array:
        return np.ascontiguousarray(weight.transpose(2, 3, 1, 0).reshape(-1, weight.shape[0], copy=None))

    def calls(self, x: Array, weight: Array, output: ConvolutionOutput, scratch: Scratch) -> Iterator[Call]:
        n, h, w, _ = output.y.shape
        channels = x.shape[3]
        view = windows(x, (h, w), self.kernel, self.stride, self.dilation)
        column = prod(self.kernel) * channels
        room = _BLOCK_BYTES if channels <= _FEW_CHANNELS else _WIDE_BLOCK_BYTES
        most_rows = max(1, room // (column * w * x.itemsize))
        for samples, rows in blocks(scratch, n, h, most_rows):
            part = output.cut(samples, rows)
            read = view[samples, rows]
            columns = scratch.take(read.shape, x.dtype)
            product = part.matrix(scratch)
            yield partial(np.copyto, columns, read)
            yield partial(np.matmul, columns.reshape(-1, column, copy=False), weight, product)
            yield from part.epilogue(scratch, product)
