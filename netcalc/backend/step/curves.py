"""Smooth functions of each element, computed with their derivatives in one go, in place.

    function(x, y, slope, first, second)    y = f(x) and slope = f'(x)

All are flat tiles of one size. `slope` may be x itself, so that it is written last; `first` and `second` are
for intermediate results.
"""

from collections.abc import Callable
from math import pi, sqrt

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.kernels.special import erf
from netcalc.layers.activation import GELU, Sigmoid, SiLU, Tanh
from netcalc.layers.base import Layer

Curve = Callable[[Array, Array, Array, Array, Array], None]
_TAIL_RATE = 0.3275911
_TAIL = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
"""Abramowitz and Stegun 1964, 7.1.26: erfc(z) = exp(-z^2) t p(t) with t = 1 / (1 + rate z), within 1.5e-7."""
_GELU_FACTOR, _GELU_CUBE = sqrt(2 / pi), 0.044715
_GELU_LARGEST = 1e4
"""A square from which on the tanh of GELU's approximation is 1 in every float type."""
_GELU_MOST = 1e30
"""A slope of its argument beyond any that counts."""


def curve_of(layer: Layer) -> Curve | None:
    """The function of a layer that has one here."""
    if isinstance(layer, GELU):
        return gelu_by_tanh if layer.form == "tanh" else gelu
    return _CURVES.get(type(layer))


def sigmoid(x: Array, y: Array, slope: Array, *_: Array) -> None:
    """The logistic function y = 1 / (1 + exp(-x));  y' = y (1 - y)."""
    _logistic(x, y)
    np.subtract(1, y, out=slope)
    slope *= y


def tanh(x: Array, y: Array, slope: Array, *_: Array) -> None:
    """The hyperbolic tangent y;  y' = 1 - y^2."""
    np.tanh(x, out=y)
    np.multiply(y, y, out=slope)
    np.subtract(1, slope, out=slope)


def silu(x: Array, y: Array, slope: Array, first: Array, second: Array) -> None:
    """y = x s with s = 1 / (1 + exp(-x));  y' = s (1 + x (1 - s))."""
    _logistic(x, first)
    np.multiply(x, first, out=y)
    np.subtract(1, first, out=second)
    np.multiply(x, second, out=slope)
    slope += 1
    slope *= first


def gelu(x: Array, y: Array, slope: Array, first: Array, second: Array) -> None:
    """y = x Phi(x);  y' = Phi(x) + x phi(x), with phi(x) = exp(-x^2 / 2) / sqrt(2 pi)."""
    exponential, share = first, second
    np.multiply(x, x, out=exponential)
    exponential *= -0.5
    np.exp(exponential, out=exponential)
    if x.dtype == np.float32:
        _normal_share(x, exponential, share, y)
    else:
        share[...] = erf(x * sqrt(0.5))
        share += 1
        share *= 0.5
    np.multiply(x, share, out=y)
    exponential *= x
    exponential *= 1 / sqrt(2 * pi)
    np.add(exponential, share, out=slope)


def gelu_by_tanh(x: Array, y: Array, slope: Array, first: Array, second: Array) -> None:
    """y = x s with s = (1 + tanh(u)) / 2, u = a (x + b x^3);  y' = s (1 + 2 u' x (1 - s))."""
    square, share = first, second
    np.multiply(x, x, out=square)
    np.minimum(square, _GELU_LARGEST, out=square)
    np.multiply(square, _GELU_FACTOR * _GELU_CUBE, out=share)
    share += _GELU_FACTOR
    share *= x
    np.tanh(share, out=share)
    share += 1
    share *= 0.5
    np.multiply(x, share, out=y)
    square *= 6 * _GELU_FACTOR * _GELU_CUBE
    square += 2 * _GELU_FACTOR
    square *= x
    np.clip(square, -_GELU_MOST, _GELU_MOST, out=square)  # where 1 - s is 0, so is the product
    np.subtract(1, share, out=slope)
    slope *= square
    slope += 1
    slope *= share


def _logistic(x: Array, y: Array) -> None:
    np.negative(x, out=y)
    np.exp(y, out=y)
    y += 1
    np.reciprocal(y, out=y)


def _normal_share(x: Array, exponential: Array, share: Array, workspace: Array) -> None:
    """Phi(x), the share of a standard normal distribution below x, within 8e-8; given exp(-x^2 / 2)."""
    t = workspace
    np.abs(x, out=t)
    t *= _TAIL_RATE * sqrt(0.5)
    t += 1
    np.reciprocal(t, out=t)
    np.multiply(t, -_TAIL[0] / 2, out=share)
    for coefficient in _TAIL[1:]:
        share -= coefficient / 2
        share *= t
    share *= exponential
    share += 0.5
    np.copysign(share, x, out=share)
    share += 0.5


_CURVES: dict[type[Layer], Curve] = {Sigmoid: sigmoid, SiLU: silu, Tanh: tanh}
