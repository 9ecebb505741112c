"""Layers that act in training alone; without random numbers they pass by."""

import numpy as np

from netcalc.backend.kernels.base import Array, Arrays, Backward, Context
from netcalc.layers.regularisation import Dropout, StochasticDepth


def dropout(
    layer: Dropout, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = x m / (1 - rate), m 0 with the chance `rate` and else 1, an element or a channel;  dx alike."""
    (x,) = xs
    return _dropped(x, x.shape[:2] if layer.channels else x.shape, layer.rate, context)


def stochastic_depth(
    layer: StochasticDepth, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = x m / (1 - rate), m 0 with the chance `rate` and else 1, a sample;  dx = dy m / (1 - rate)."""
    (x,) = xs
    return _dropped(x, x.shape[:1], layer.rate, context)


def _dropped(x: Array, drawn: tuple[int, ...], rate: float, context: Context) -> tuple[Array, Backward]:
    """Whole pieces of x zeroed at random: one draw each for the first axes, of the shape `drawn`."""
    if context.rng is None or rate == 0:
        return x, lambda dy: ((dy,), {})
    if rate == 1:
        return x * 0, lambda dy: ((dy * 0,), {})
    kept = context.rng.random(drawn, np.float32) >= rate
    kept = kept.reshape(*drawn, *(1,) * (x.ndim - len(drawn)))
    scale = 1 / (1 - rate)
    return x * kept * scale, lambda dy: ((dy * kept * scale,), {})
