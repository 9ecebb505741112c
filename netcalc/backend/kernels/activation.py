"""Activations: one function of each element, and the softmax family along an axis.

A comparison in a formula selects: dy (x > 0) is dy where x > 0, and 0 elsewhere even where dy is infinite
or NaN. Which side NaN is on is PyTorch's choice in each.
"""

from math import pi, sqrt

import numpy as np

from netcalc.backend.kernels.base import (
    Array,
    Arrays,
    Backward,
    Context,
    Gradients,
    Mapped,
    per_channel,
    selected,
    unary,
    unbroadcast,
    widened,
)
from netcalc.backend.kernels.special import erf, logistic
from netcalc.layers.activation import (
    CELU,
    ELU,
    GELU,
    SELU,
    HardSigmoid,
    HardSwish,
    LeakyReLU,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from netcalc.layers.geometry import resolve_axis
from netcalc.layers.softmax import LogSoftmax, Softmax

_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772
_GELU_CUBE = 0.044715
_GELU_SATURATED = 10.0
"""Where the tanh of GELU's approximation is 1 in every float type, long before a cube overflows."""


@unary
def relu(layer: ReLU, x: Array) -> Mapped:
    """y = max(x, 0);  dx = dy (not y <= 0)."""
    y = np.maximum(x, 0)
    return y, lambda dy: selected(~(y <= 0), dy)


@unary
def relu6(layer: ReLU6, x: Array) -> Mapped:
    """y = min(max(x, 0), 6);  dx = dy (0 < y < 6)."""
    y = np.clip(x, 0, 6)
    return y, lambda dy: selected((y > 0) & (y < 6), dy)


@unary
def leaky_relu(layer: LeakyReLU, x: Array) -> Mapped:
    """y = max(x, 0) + slope min(x, 0);  dx = dy (x > 0) + slope dy (not x > 0)."""
    y = np.maximum(x, 0) + layer.slope * np.minimum(x, 0)
    return y, lambda dy: _by_side(x > 0, dy, layer.slope)


def prelu(layer: PReLU, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """y = max(x, 0) + a min(x, 0);  dx = dy (x > 0) + a dy (not x > 0),  da = sum of dy x (not x > 0)."""
    (x,) = xs
    weight = params["weight"]
    slope = per_channel(weight, x.ndim) if layer.channels > 1 else weight
    y = np.maximum(x, 0) + slope * np.minimum(x, 0)

    def backward(dy: Array) -> Gradients:
        above = x > 0
        dslope = unbroadcast(selected(~above, widened(dy) * x), slope.shape)
        return (_by_side(above, dy, slope),), {
            "weight": dslope.reshape(weight.shape).astype(weight.dtype, copy=False)
        }

    return y, backward


@unary
def elu(layer: ELU, x: Array) -> Mapped:
    """y = max(x, 0) + alpha (exp(min(x, 0)) - 1);  dx = dy (x > 0) + alpha exp(x) dy (not x > 0)."""
    return _exponential(x, layer.alpha)


@unary
def selu(layer: SELU, x: Array) -> Mapped:
    """y = 1.0507 ELU(x) with alpha 1.6733, and so its gradient."""
    return _exponential(x, _SELU_SCALE * _SELU_ALPHA, slope=_SELU_SCALE)


@unary
def celu(layer: CELU, x: Array) -> Mapped:
    """y = max(x, 0) + alpha (exp(min(x, 0) / alpha) - 1);  dx = dy, or exp(x / alpha) dy where not x > 0."""
    return _exponential(x, layer.alpha, rate=1 / layer.alpha)


def _exponential(x: Array, height: float, slope: float = 1.0, rate: float = 1.0) -> Mapped:
    """y = slope max(x, 0) + height (exp(rate min(x, 0)) - 1)."""
    y = slope * np.maximum(x, 0) + height * np.expm1(rate * np.minimum(x, 0))

    def backward(dy: Array) -> Array:
        above = x > 0
        dx: Array = height * rate * np.exp(rate * selected(~above, x)) * selected(~above, dy)
        dx += slope * selected(above, dy)
        return dx

    return y, backward


@unary
def gelu(layer: GELU, x: Array) -> Mapped:
    """y = x Phi(x);  dx = dy (Phi(x) + x phi(x)), with phi(x) = exp(-x^2 / 2) / sqrt(2 pi)."""
    if layer.form == "tanh":
        return _gelu_by_tanh(x)

    def backward(dy: Array) -> Array:
        density = np.exp(-x * x / 2) / sqrt(2 * pi)
        dx: Array = dy * (_normal_share(x) + x * density)
        return dx

    return x * _normal_share(x), backward


def _gelu_by_tanh(x: Array) -> Mapped:
    """y = x/2 (1 + t), t = tanh(a (x + b x^3));  dx = dy/2 (1 + t + x (1 - t^2) a (1 + 3 b x^2))."""
    factor = sqrt(2 / pi)

    def near_and_tanh() -> tuple[Array, Array]:
        near = np.clip(x, -_GELU_SATURATED, _GELU_SATURATED)
        return near, np.tanh(factor * near * (1 + _GELU_CUBE * near * near))

    def backward(dy: Array) -> Array:
        near, t = near_and_tanh()
        slope = factor * (1 + 3 * _GELU_CUBE * near * near)
        dx: Array = dy / 2 * (1 + t + near * (1 - t * t) * slope)
        return dx

    _, t = near_and_tanh()
    return x / 2 * (1 + t), backward


@unary
def silu(layer: SiLU, x: Array) -> Mapped:
    """y = x s with s = 1 / (1 + exp(-x));  dx = dy s (1 + x (1 - s))."""

    def backward(dy: Array) -> Array:
        s = logistic(x)
        dx: Array = dy * s * (1 + x * (1 - s))
        return dx

    return x * logistic(x), backward


@unary
def sigmoid(layer: Sigmoid, x: Array) -> Mapped:
    """y = 1 / (1 + exp(-x));  dx = dy y (1 - y)."""
    y = logistic(x)
    return y, lambda dy: dy * y * (1 - y)


@unary
def tanh(layer: Tanh, x: Array) -> Mapped:
    """The hyperbolic tangent y;  dx = dy (1 - y^2)."""
    y = np.tanh(x)
    return y, lambda dy: dy * (1 - y * y)


@unary
def hardsigmoid(layer: HardSigmoid, x: Array) -> Mapped:
    """y = min(max(x + 3, 0), 6) / 6;  dx = dy / 6 (-3 < x < 3)."""
    return np.clip(x + 3, 0, 6) / 6, lambda dy: selected(np.abs(x) < 3, dy / 6)


@unary
def hardswish(layer: HardSwish, x: Array) -> Mapped:
    """y = x min(max(x + 3, 0), 6) / 6;  dx = dy (x / 3 + 1/2) (not |x| >= 3) + dy (x >= 3)."""
    y = x * np.clip(x + 3, 0, 6) / 6
    return y, lambda dy: selected(~(np.abs(x) >= 3), dy * (x / 3 + 0.5)) + selected(x >= 3, dy)


@unary
def softplus(layer: Softplus, x: Array) -> Mapped:
    """y = log(1 + e) / beta with e = exp(beta x);  dx = dy e / (1 + e); the identity above the threshold."""
    z = layer.beta * x
    y = np.where(z > layer.threshold, x, _log_of_one_and_exp(z) / layer.beta)

    def backward(dy: Array) -> Array:
        share = np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))  # subnormal where exp(-z) overflows
        dx: Array = np.where(z > layer.threshold, dy, dy * share)
        return dx

    return y, backward


@unary
def mish(layer: Mish, x: Array) -> Mapped:
    """y = x t with t = tanh(log(1 + exp(x)));  dx = dy (t + x (1 - t^2) / (1 + exp(-x)))."""

    def backward(dy: Array) -> Array:
        t = np.tanh(_log_of_one_and_exp(x))
        dx: Array = dy * (t + x * (1 - t * t) * logistic(x))
        return dx

    return x * np.tanh(_log_of_one_and_exp(x)), backward


@unary
def softmax(layer: Softmax, x: Array) -> Mapped:
    """y = exp(x - max) / sum of exp(x - max);  dx = y (dy - sum of dy y)."""
    axis = resolve_axis(layer.axis, x.ndim - 1, "axis") + 1
    wide = widened(x)
    shares = np.exp(wide - wide.max(axis, keepdims=True))
    shares /= shares.sum(axis, keepdims=True)
    y = shares.astype(x.dtype, copy=False)

    def backward(dy: Array) -> Array:
        shares = widened(y)
        dx: Array = shares * (dy - (dy * shares).sum(axis, keepdims=True))
        return dx.astype(y.dtype, copy=False)

    return y, backward


@unary
def log_softmax(layer: LogSoftmax, x: Array) -> Mapped:
    """y = x - max - log of sum of exp(x - max);  dx = dy - exp(y) sum of dy."""
    axis = resolve_axis(layer.axis, x.ndim - 1, "axis") + 1
    wide = widened(x)
    logs = wide - wide.max(axis, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis, keepdims=True))
    y = logs.astype(x.dtype, copy=False)

    def backward(dy: Array) -> Array:
        dx: Array = dy - np.exp(widened(y)) * widened(dy).sum(axis, keepdims=True)
        return dx.astype(y.dtype, copy=False)

    return y, backward


def _by_side(above: Array, dy: Array, slope: float | Array) -> Array:
    """dy where x is above 0, and the slope times dy elsewhere."""
    dx: Array = slope * selected(~above, dy)
    dx += selected(above, dy)
    return dx


def _normal_share(x: Array) -> Array:
    """Phi(x), the share of a standard normal distribution below x."""
    return (1 + erf(x / sqrt(2))) / 2


def _log_of_one_and_exp(x: Array) -> Array:
    """log(1 + exp(x)), where exp(x) would overflow as well."""
    y: Array = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return y
