"""Layers that enlarge the spatial axes, or bring them to a size, one axis after the other."""

from functools import partial

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped, unary
from netcalc.backend.kernels.mixing import Mixing, along_axes, mixed
from netcalc.layers.resampling import Interpolate, PixelShuffle, PixelUnshuffle, Upsample
from netcalc.tensor import TensorType


@unary
def resampled(layer: Upsample | Interpolate, x: Array) -> Mapped:
    """y = M x along each spatial axis, with M as the mode's function below says;  dx = M^T dy."""
    sizes = layer.infer((TensorType(x.shape[1:]),)).shape[1:]
    rules = {"nearest": _nearest, "nearest_exact": _nearest_exact}
    interpolate = partial(cubic if layer.mode == "bicubic" else linear, aligned=layer.align_corners)
    rule = rules.get(layer.mode, interpolate)
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


@unary
def pixel_unshuffle(layer: PixelUnshuffle, x: Array) -> Mapped:
    """y[c f^2 + f i + j, h, w] = x[c, f h + i, f w + j];  dx likewise from dy."""
    f = layer.factor
    batch, channels, height, width = shape = x.shape
    cells = x.reshape(batch, channels, height // f, f, width // f, f)
    y = cells.transpose(0, 1, 3, 5, 2, 4).reshape(batch, channels * f**2, height // f, width // f)

    def backward(dy: Array) -> Array:
        fine = dy.reshape(batch, channels, f, f, height // f, width // f)
        return fine.transpose(0, 1, 4, 2, 5, 3).reshape(shape)

    return y, backward


def _nearest(size: int, outputs: int) -> Mixing:
    """y[u] = x[floor(u W / S)]."""
    return Mixing.of((u, u * size // outputs, 1) for u in range(outputs))


def _nearest_exact(size: int, outputs: int) -> Mixing:
    """y[u] = x[floor((u + 1/2) W / S)]."""
    return Mixing.of((u, (2 * u + 1) * size // (2 * outputs), 1) for u in range(outputs))


def _centres(size: int, outputs: int, aligned: bool) -> Array:
    """Where the outputs lie among the inputs: (u + 1/2) W / S - 1/2, or u (W - 1) / (S - 1) if aligned."""
    rows = np.arange(outputs)
    if aligned:
        return rows * ((size - 1) / max(outputs - 1, 1))
    centres: Array = (rows + 0.5) * (size / outputs) - 0.5
    return centres


def linear(size: int, outputs: int, aligned: bool = False) -> Mixing:
    """y[u] = (1 - f) x[i] + f x[i + 1] with i + f the centre, 0 at least; the last x repeats."""
    rows = np.arange(outputs)
    centres = np.maximum(_centres(size, outputs, aligned), 0)
    lower = np.minimum(centres.astype(int), size - 1)
    upper = np.minimum(lower + 1, size - 1)
    fraction = centres - lower
    return Mixing(np.tile(rows, 2), np.append(lower, upper), np.append(1 - fraction, fraction))


def cubic(size: int, outputs: int, aligned: bool = False) -> Mixing:
    """y[u] = sum over k from -1 to 2 of w(|k - f|) x[i + k] with i + f the centre; x repeats at its ends.

    w(d) = (a + 2) d^3 - (a + 3) d^2 + 1 up to d = 1 and a d^3 - 5a d^2 + 8a d - 4a up to 2 (Keys 1981),
    with a = -0.75 as in PyTorch.
    """
    a = -0.75
    centres = _centres(size, outputs, aligned)
    lower = np.floor(centres).astype(int)
    reached = lower + np.arange(-1, 3)[:, np.newaxis]
    d = np.abs(reached - centres)
    near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((d - 5) * d + 8) * d * a - 4 * a
    columns = np.clip(reached, 0, size - 1)
    return Mixing(np.tile(np.arange(outputs), 4), columns.ravel(), np.where(d <= 1, near, far).ravel())
