"""Learned tables: rows looked up by a token's number, and tensors joined to the input."""

import numpy as np

from netcalc.backend.kernels.base import Array, Arrays, Backward, Context, Gradients, unbroadcast
from netcalc.backend.kernels.parts import summed_rows
from netcalc.layers import LayerError
from netcalc.layers.embedding import Embedding, Parameter


def embedding(
    layer: Embedding, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y[..., d] = W[x[...], d];  dW[r, d] = sum of dy[..., d] where x[...] is r. Token numbers have none."""
    (x,) = xs
    weight = params["weight"]
    tokens = token_numbers(x, layer.entries)

    def backward(dy: Array) -> Gradients:
        values = dy.reshape(-1, layer.width)
        return (None,), {"weight": summed_rows(values, tokens.reshape(-1), layer.entries)}

    return weight[tokens], backward


def parameter(
    layer: Parameter, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = x + W: dx = dy, dW = sum of dy over what W was stretched along.

    y = x W: dx = dy W, dW = sum of dy x. W before x along an axis: each takes its part of dy.
    """
    (x,) = xs
    weight = params["weight"]
    if layer.join == "prepend":
        return _prepended(weight, x, layer.axis % weight.ndim + 1)
    if layer.join == "multiply":

        def scaled(dy: Array) -> Gradients:
            return (dy * weight,), {}

        def multiplied(dy: Array) -> Gradients:
            return (dy * weight,), {"weight": unbroadcast(dy * x, weight.shape)}

        return x * weight, scaled if context.frozen else multiplied

    def added(dy: Array) -> Gradients:
        return (dy,), {"weight": unbroadcast(dy, weight.shape)}

    return x + weight, added


def _prepended(weight: Array, x: Array, axis: int) -> tuple[Array, Backward]:
    first = np.broadcast_to(weight, (x.shape[0], *weight.shape))

    def backward(dy: Array) -> Gradients:
        own, rest = np.split(dy, [weight.shape[axis - 1]], axis)
        return (rest,), {"weight": unbroadcast(own, weight.shape)}

    return np.concatenate((first, x), axis), backward


def token_numbers(x: Array, entries: int) -> Array:
    """Token numbers as integers; raises LayerError for one that is not in the table."""
    outside = (x < 0) | (x >= entries) | (x != np.floor(x))
    if outside.any():
        token = x[outside][0]
        raise LayerError(f"token {token} is none of the table's {entries} entries, 0 to {entries - 1}")
    return x.astype(np.int64, copy=False)
