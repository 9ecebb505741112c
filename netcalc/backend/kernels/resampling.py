"""Layers that enlarge the spatial axes, or bring them to a size, one axis after the other."""

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped, unary
from netcalc.backend.kernels.mixing import Mixing, along_axes, mixed
from netcalc.layers.resampling import Interpolate, PixelShuffle, Upsample
from netcalc.tensor import TensorType


@unary
def resampled(layer: Upsample | Interpolate, x: Array) -> Mapped:
    """y = M x along each spatial axis, with M as `_nearest` or `linear` says;  dx = M^T dy."""
    sizes = layer.infer(TensorType(x.shape[1:])).shape[1:]
    rule = _nearest if layer.mode == "nearest" else linear
    return along_axes(
        x, lambda x, axis: mixed(x, rule(x.shape[axis], sizes[axis - 2]), sizes[axis - 2], axis)
    )


@unary
def pixel_shuffle(layer: PixelShuffle, x: Array) -> Mapped:
    """y[c, f h + i, f w + j] = x[c f^2 + f i + j, h, w];  dx likewise from dy."""
    f = layer.factor
    batch, channels, height, width = shape = x.shape
    cells = x.reshape(batch, channels // f**2, f, f, height, width)
    y = cells.transpose(0, 1, 4, 2, 5, 3).reshape(batch, -1, height * f, width * f)

    def backward(dy: Array) -> Array:
        fine = dy.reshape(batch, -1, height, f, width, f)
        return fine.transpose(0, 1, 3, 5, 2, 4).reshape(shape)

    return y, backward


def _nearest(size: int, outputs: int) -> Mixing:
    """y[u] = x[floor(u W / S)]."""
    return Mixing.of((u, u * size // outputs, 1) for u in range(outputs))


def linear(size: int, outputs: int) -> Mixing:
    """y[u] = (1 - f) x[i] + f x[i + 1] with i + f = max((u + 1/2) W / S - 1/2, 0); the last x repeats."""
    rows = np.arange(outputs)
    centres = np.maximum((rows + 0.5) * (size / outputs) - 0.5, 0)
    lower = np.minimum(centres.astype(int), size - 1)
    upper = np.minimum(lower + 1, size - 1)
    fraction = centres - lower
    return Mixing(np.tile(rows, 2), np.append(lower, upper), np.append(1 - fraction, fraction))
