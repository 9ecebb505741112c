"""Layers that enlarge the spatial axes, or bring them to a size, one axis after the other."""

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped, unary
from netcalc.backend.kernels.gathering import along, along_axes, gathered
from netcalc.layers.resampling import Interpolate, PixelShuffle, Upsample
from netcalc.tensor import TensorType


@unary
def resampled(layer: Upsample | Interpolate, x: Array) -> Mapped:
    """Outputs u of S along an axis of W: picked or mixed by `_nearest` or `_linear`."""
    sizes = layer.infer(TensorType(x.shape[1:])).shape[1:]
    along_axis = _nearest if layer.mode == "nearest" else _linear
    return along_axes(x, lambda x, axis: along_axis(x, axis, sizes[axis - 2]))


@unary
def pixel_shuffle(layer: PixelShuffle, x: Array) -> Mapped:
    """y[c, f h + i, f w + j] = x[c f^2 + f i + j, h, w];  dx likewise from dy."""
    f = layer.factor
    batch, channels, height, width = x.shape
    cells = x.reshape(batch, channels // f**2, f, f, height, width)
    y = cells.transpose(0, 1, 4, 2, 5, 3).reshape(batch, -1, height * f, width * f)

    def backward(dy: Array) -> Array:
        fine = dy.reshape(batch, -1, height, f, width, f)
        return fine.transpose(0, 1, 3, 5, 2, 4).reshape(x.shape)

    return y, backward


def _nearest(x: Array, axis: int, outputs: int) -> Mapped:
    """y[u] = x[floor(u W / S)]."""
    return gathered(x, [u * x.shape[axis] // outputs for u in range(outputs)], axis)


def _linear(x: Array, axis: int, outputs: int) -> Mapped:
    """y[u] = (1 - f) x[i] + f x[i + 1] with i + f = max((u + 1/2) W / S - 1/2, 0); the last x repeats."""
    size = x.shape[axis]
    centres = np.maximum((np.arange(outputs) + 0.5) * (size / outputs) - 0.5, 0)
    lower = np.minimum(centres.astype(int), size - 1)
    fraction = along((centres - lower).astype(x.dtype), axis, x.ndim)
    first, first_back = gathered(x, lower.tolist(), axis)
    second, second_back = gathered(x, np.minimum(lower + 1, size - 1).tolist(), axis)

    def backward(dy: Array) -> Array:
        return first_back(dy * (1 - fraction)) + second_back(dy * fraction)

    return first * (1 - fraction) + second * fraction, backward
