"""A 1x1 convolution is a matrix product: y[p, o] = sum over c of x[p, c] W[c, o] for positions p."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.calls import Call, Scratch, blocks, flattened
from netcalc.backend.plan.convolution.algorithm import ConvolutionOutput
from netcalc.tensor import Shape

_BLOCK_ELEMENTS = 2**18
"""Of the output, so that what follows in place finds it in the cache."""
_LEAST_POSITIONS = 196
"""Each product packs its weights anew, which takes longer than a product over fewer positions."""


@dataclass(frozen=True)
class Direct:
    """The product itself, in blocks of rows."""

    name: str = "1x1 product"
    row_unit: int = 1

    def reads(self, size: Shape) -> Shape:
        return size

    def form(self, weight: Shape) -> Shape:
        return weight[1], weight[0]

    def prepared(self, weight: Array) -> Array:
        return np.ascontiguousarray(weight[:, :, 0, 0].T)

    def calls(self, x: Array, weight: Array, output: ConvolutionOutput, scratch: Scratch) -> Iterator[Call]:
        n, h, w, filters = output.y.shape
        positions = max(_BLOCK_ELEMENTS // filters, _LEAST_POSITIONS)
        for samples, rows in blocks(scratch, n, h, max(1, positions // w)):
            part = output.cut(samples, rows)
            block = x[samples, rows]
            flat = flattened(block)
            product = part.matrix(scratch)
            if flat is None:
                flat = scratch.take((product.shape[0], x.shape[3]), x.dtype)
                yield partial(np.copyto, flat.reshape(block.shape, copy=False), block)
            yield partial(np.matmul, flat, weight, product)
            yield from part.epilogue(scratch, product)
