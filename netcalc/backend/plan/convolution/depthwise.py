"""A depthwise convolution: y[p, c] = sum over k of x[s p + d k, c] W[k, c], a product a channel and cell.

No matrix product is in it. `np.einsum` over a view of the windows multiplies and adds in one loop along
the channels; at stride 1 and few channels along whole rows, the weights repeated for each pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import as_strided

from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.calls import Call, Scratch, blocks, merged_rows
from netcalc.backend.plan.convolution.algorithm import ConvolutionOutput, input_size, windows
from netcalc.tensor import Shape

_FEW_CHANNELS = 160
_BLOCK_ELEMENTS = 2**16


@dataclass(frozen=True)
class Depthwise:
    """One filter for each channel."""

    kernel: Shape
    stride: Shape
    dilation: Shape
    name: str = "depthwise"
    row_unit: int = 1

    def reads(self, size: Shape) -> Shape:
        return input_size(size, self.kernel, self.stride, self.dilation)

    def form(self, weight: Shape) -> Shape:
        return *weight[2:], weight[0]

    def prepared(self, weight: Array) -> Array:
        return np.ascontiguousarray(weight[:, 0].transpose(1, 2, 0))

    def calls(self, x: Array, weight: Array, output: ConvolutionOutput, scratch: Scratch) -> Iterator[Call]:
        n, h, w, channels = output.y.shape
        view = windows(x, (h, w), self.kernel, self.stride, self.dilation)
        run = self.stride[1] == 1 and channels < _FEW_CHANNELS and x.strides[2] == channels * x.itemsize
        if run:
            weight = np.tile(weight, w)
        for samples, rows in blocks(scratch, n, h, max(1, _BLOCK_ELEMENTS // (w * channels))):
            part = output.cut(samples, rows)
            block, y = view[samples, rows], part.y
            if run and merged_rows(y).ndim == 3:
                yield partial(np.einsum, "nhijr,ijr->nhr", _along_rows(block), weight, out=merged_rows(y))
            else:
                yield partial(np.einsum, "nhwijc,ijc->nhwc", block, weight[..., :channels], out=y)
            yield from part.epilogue(scratch)


def _along_rows(view: Array) -> Array:
    """Windows N,H,W,k,k,C with the pixels of a row and their channels as one axis: N,H,k,k,(W C)."""
    n, h, w, i, j, c = view.shape
    sn, sh, _, si, sj, sc = view.strides
    return as_strided(view, (n, h, i, j, w * c), (sn, sh, si, sj, sc), writeable=False)
