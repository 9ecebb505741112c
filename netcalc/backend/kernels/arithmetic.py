"""Arithmetic: plain functions of each element."""

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped, unary
from netcalc.layers.arithmetic import Absolute, Exp, Log, Power, Scale, Sqrt


@unary
def scale(layer: Scale, x: Array) -> Mapped:
    """y = factor x + shift;  dx = factor dy."""
    return x * layer.factor + layer.shift, lambda dy: dy * layer.factor


@unary
def power(layer: Power, x: Array) -> Mapped:
    """y = x^p;  dx = p x^(p - 1) dy, and 0 where p is 0."""
    p = layer.exponent

    def backward(dy: Array) -> Array:
        if p == 0.5:  # as PyTorch: -infinity at -0, where C's power is infinity
            return dy * (p / np.sqrt(x))
        dx: Array = dy * (p * x ** (p - 1)) if p else np.zeros_like(dy)
        return dx

    return x**p, backward


@unary
def sqrt(layer: Sqrt, x: Array) -> Mapped:
    """The root y;  dx = dy / (2 y)."""
    y = np.sqrt(x)
    return y, lambda dy: dy / (2 * y)


@unary
def exp(layer: Exp, x: Array) -> Mapped:
    """The exponential y;  dx = dy y."""
    y = np.exp(x)
    return y, lambda dy: dy * y


@unary
def log(layer: Log, x: Array) -> Mapped:
    """The natural logarithm;  dx = dy / x."""
    return np.log(x), lambda dy: dy / x


@unary
def absolute(layer: Absolute, x: Array) -> Mapped:
    """y = |x|;  dx = dy ((x > 0) - (x < 0))."""
    return np.abs(x), lambda dy: dy * np.subtract(x > 0, x < 0, dtype=x.dtype)
