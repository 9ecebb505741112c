"""Which algorithm a convolution takes."""

from typing import TypeGuard

import numpy as np

from netcalc.backend.plan.convolution.algorithm import Algorithm
from netcalc.backend.plan.convolution.depthwise import Depthwise
from netcalc.backend.plan.convolution.direct import Direct
from netcalc.backend.plan.convolution.im2col import Im2col
from netcalc.backend.plan.convolution.planar import Planar
from netcalc.backend.plan.convolution.winograd import Winograd
from netcalc.layers import Layer
from netcalc.layers.convolution import Correlation
from netcalc.tensor import Shape

_FEW_PLANES = 4
_LEAST_CHANNELS = 8
"""For fewer, the transforms of Winograd's tiles cost more than they save."""
_MANY_TILES = 16
"""Tiles of 4x4 outputs for each matrix product, from which on they beat those of 2x2."""


def is_image_convolution(layer: Layer) -> TypeGuard[Correlation]:
    """Whether the algorithms can compute a layer: a 2D convolution padded with zeros."""
    return isinstance(layer, Correlation) and len(layer.kernel) == 2 and layer.padding_mode == "zeros"


def is_planar(layer: Correlation, channels: int) -> bool:
    """Whether a convolution reads a network's input as N,C,H,W, rather than with the channels last."""
    return channels <= _FEW_PLANES and layer.in_groups(channels) == 1 and set(layer.dilation) == {1}


def algorithm(
    layer: Correlation,
    channels: int,
    size: Shape,
    samples: int,
    dtype: np.dtype[np.floating],
    planar: bool,
) -> Algorithm:
    """The algorithm for a layer C,.,. to O,H,W where `samples` are computed together.

    `size` is H,W. Where `planar` the input is N,C,H,W.
    """
    kernel, stride, dilation = layer.kernel, layer.stride, layer.dilation
    groups = layer.in_groups(channels)
    if planar:
        return Planar(kernel, stride)
    if groups == channels == layer.out_channels(channels) and groups > 1:
        return Depthwise(kernel, stride, dilation)
    if kernel == stride == (1, 1):
        return Direct()
    single = {*stride, *dilation} == {1} and dtype == np.float32
    least = min(channels, layer.out_channels(channels)) // groups
    if single and kernel in ((3, 3), (5, 5)) and least >= _LEAST_CHANNELS:
        if kernel == (5, 5):
            return Winograd(2, 5)
        tiles = samples * -(-size[0] // 4) * -(-size[1] // 4)
        return Winograd(4 if tiles >= _MANY_TILES else 2, 3)
    return Im2col(kernel, stride, dilation)
