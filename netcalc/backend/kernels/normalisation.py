"""Normalisation: y = scale (x - mean) / sqrt(variance + eps) + shift, over differing axes.

Variances divide by the number of values, as PyTorch's do; float16 is worked out in float32.
"""

from math import prod

import numpy as np

from netcalc.backend.kernels.base import (
    Array,
    Arrays,
    Backward,
    Context,
    Gradients,
    Mapped,
    per_channel,
    unary,
    unbroadcast,
    widened,
)
from netcalc.layers.errors import LayerError
from netcalc.layers.local_response import LRN
from netcalc.layers.normalisation import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RMSNorm

Axes = tuple[int, ...]


def batchnorm(
    layer: BatchNorm, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """Over the batch and the positions in training, by the running statistics in inference or where frozen.

    In training running = (1 - momentum) running + momentum batch's, as PyTorch's, where the variance
    that goes into running_var divides by one less than the number of values.
    """
    (x,) = xs
    if layer.running and (context.frozen or not context.training):
        return _by_running_statistics(layer, params, x, context.frozen)
    axes = (0, *range(2, x.ndim))
    count = prod(x.shape[axis] for axis in axes)
    if count == 1:
        raise LayerError("batchnorm needs more than one value of each channel to take its own statistics")
    mean, variance = _statistics(widened(x), axes)
    if layer.running:
        _move(params["running_mean"], mean, layer.momentum)
        _move(params["running_var"], variance * (count / (count - 1)), layer.momentum)
    return _standardised(x, axes, mean, variance, layer.eps, params, _channels(x))


def layernorm(
    layer: LayerNorm, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """Over the last axes of each sample, or with `channels` over the channels at each position."""
    (x,) = xs
    axes, stretched = _together(layer, x)
    mean, variance = _statistics(widened(x), axes)
    return _standardised(x, axes, mean, variance, layer.eps, params, stretched)


def instancenorm(
    layer: InstanceNorm, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """Over the positions of each channel of each sample."""
    (x,) = xs
    axes = tuple(range(2, x.ndim))
    mean, variance = _statistics(widened(x), axes)
    return _standardised(x, axes, mean, variance, layer.eps, params, _channels(x))


def groupnorm(
    layer: GroupNorm, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """Over the positions and the channels of each group of each sample."""
    (x,) = xs
    grouped = x.reshape(x.shape[0], layer.groups, x.shape[1] // layer.groups, -1)
    mean, variance = _statistics(widened(grouped), (2, 3))
    shape = grouped.shape
    stretched = (1, *shape[1:3], 1)
    y, inner = _standardised(grouped, (2, 3), mean, variance, layer.eps, params, stretched)

    def backward(dy: Array) -> Gradients:
        (dx,), gradients = inner(dy.reshape(shape))
        assert dx is not None
        return (dx.reshape(dy.shape),), gradients

    return y.reshape(x.shape), backward


def rmsnorm(
    layer: RMSNorm, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = w z with z = x / r, r = sqrt(mean of x^2 + eps), over the last axes or over the channels.

    dw = sum of dy z,  and with g = w dy  dx = (g - z mean of g z) / r.
    """
    (x,) = xs
    axes, stretched = _together(layer, x)
    wide = widened(x)
    eps = np.finfo(wide.dtype).eps if layer.eps is None else layer.eps
    inverse = 1 / np.sqrt(np.square(wide).mean(axes, keepdims=True) + eps)
    weight = params["weight"].reshape(stretched) if layer.affine else None
    y = wide * inverse
    if weight is not None:
        y *= weight

    def backward(dy: Array) -> Gradients:
        z = widened(x) * inverse
        upstream = widened(dy)
        gradients = _affine_gradients(params, stretched, upstream, z)
        dz = upstream if weight is None else upstream * weight
        z *= (dz * z).mean(axes, keepdims=True)
        dx = (dz - z) * inverse
        return (dx.astype(x.dtype, copy=False),), gradients

    if weight is not None and not context.wants(0):  # the normalised input alone is read
        normal = wide * inverse
        return y.astype(x.dtype, copy=False), lambda dy: (
            (None,),
            _affine_gradients(params, stretched, widened(dy), normal),
        )
    return y.astype(x.dtype, copy=False), backward


@unary
def lrn(layer: LRN, x: Array) -> Mapped:
    """y[c] = x[c] d[c]^-beta with d[c] = k + alpha / size sum of x[i]^2, i from c - size // 2.

    dx[i] = dy[i] d[i]^-beta - 2 alpha beta / size x[i] sum of dy[c] y[c] / d[c], over the c that sum i.
    """
    before, after = layer.size // 2, (layer.size - 1) // 2
    share = layer.alpha / layer.size
    denominator = layer.k + share * _sum_of_neighbours(np.square(widened(x)), before, after)

    def backward(dy: Array) -> Array:
        factor = denominator**-layer.beta
        weighted = _sum_of_neighbours(dy * (x * factor) / denominator, after, before)
        dx = dy * factor - (2 * share * layer.beta) * widened(x) * weighted
        return dx.astype(x.dtype, copy=False)

    return (x * denominator**-layer.beta).astype(x.dtype, copy=False), backward


def _together(layer: LayerNorm | RMSNorm, x: Array) -> tuple[Axes, Axes]:
    """The axes that are normalised together, and the shape in which w and b broadcast over x."""
    axes = (1,) if layer.channels else tuple(range(x.ndim - layer.axes, x.ndim))
    return axes, tuple(size if axis in axes else 1 for axis, size in enumerate(x.shape))


def _statistics(x: Array, axes: Axes) -> tuple[Array, Array]:
    """Mean and variance over some axes, which stay with size 1."""
    mean = x.mean(axes, keepdims=True)
    return mean, np.square(x - mean).mean(axes, keepdims=True)


def _standardised(
    x: Array, axes: Axes, mean: Array, variance: Array, eps: float, params: Arrays, stretched: Axes
) -> tuple[Array, Backward]:
    """y = w z + b with z = (x - mean) / std, the statistics being those of x over some axes.

    dw = sum of dy z,  db = sum of dy,  and with g = w dy  dx = (g - mean of g - z mean of g z) / std.
    `stretched` is the shape in which w and b broadcast over x.
    """
    inverse = 1 / np.sqrt(variance + eps)
    learned = {name: params[name].reshape(stretched) for name in ("weight", "bias") if name in params}
    y = x - mean
    y *= inverse
    if "weight" in learned:
        y *= learned["weight"]
    if "bias" in learned:
        y += learned["bias"]

    def backward(dy: Array) -> Gradients:
        z = x - mean
        z *= inverse
        upstream = widened(dy)
        gradients = _affine_gradients(params, stretched, upstream, z)
        dz = upstream * learned["weight"] if "weight" in learned else upstream
        weighted = (dz * z).mean(axes, keepdims=True)
        dx = dz - dz.mean(axes, keepdims=True)
        z *= weighted
        dx -= z
        dx *= inverse
        return (dx.astype(x.dtype, copy=False),), gradients

    return y.astype(x.dtype, copy=False), backward


def _by_running_statistics(
    layer: BatchNorm, params: Arrays, x: Array, frozen: bool
) -> tuple[Array, Backward]:
    """y = s x + (b - s mean) with s = w / std;  dx = s dy,  dw = sum of dy (x - mean) / std,  db = of dy."""
    mean, variance = (per_channel(widened(params[name]), x.ndim) for name in ("running_mean", "running_var"))
    inverse = 1 / np.sqrt(variance + layer.eps)
    scale, shift = inverse, -inverse * mean
    if "weight" in params:
        scale = scale * per_channel(params["weight"], x.ndim)
        shift = -scale * mean
    if "bias" in params:
        shift = shift + per_channel(params["bias"], x.ndim)
    y = x * scale
    y += shift

    def scaled(dy: Array) -> Gradients:
        return ((dy * scale).astype(dy.dtype, copy=False),), {}

    def backward(dy: Array) -> Gradients:
        gradients = _affine_gradients(params, _channels(x), widened(dy), (x - mean) * inverse)
        return scaled(dy)[0], gradients

    return y.astype(x.dtype, copy=False), backward if layer.affine and not frozen else scaled


def _affine_gradients(params: Arrays, stretched: Axes, dy: Array, z: Array) -> dict[str, Array]:
    """The gradients of w and b in y = w z + b, of those that there are."""
    gradients = {}
    for name in ("weight", "bias"):
        if name in params:
            gradient = unbroadcast(dy * z if name == "weight" else dy, stretched)
            gradients[name] = gradient.reshape(params[name].shape).astype(params[name].dtype, copy=False)
    return gradients


def _channels(x: Array) -> Axes:
    """The shape in which a channel vector broadcasts over N,C,..."""
    return (1, x.shape[1], *(1,) * (x.ndim - 2))


def _move(running: Array, batch: Array, momentum: float) -> None:
    running[...] = (1 - momentum) * running + momentum * batch.reshape(-1)


def _sum_of_neighbours(x: Array, before: int, after: int) -> Array:
    """For each channel the sum over itself, the `before` channels before it and the `after` after it."""
    most = x.shape[1] - 1
    total = x.copy()
    for distance in range(1, min(before, most) + 1):
        total[:, distance:] += x[:, :-distance]
    for distance in range(1, min(after, most) + 1):
        total[:, :-distance] += x[:, distance:]
    return total
