"""Layers that join tensors: element by element, along an axis, or as a matrix product."""

from functools import reduce

import numpy as np

from netcalc.backend.kernels.base import Array, Arrays, Backward, Context, Gradients, unbroadcast
from netcalc.layers.geometry import resolve_axis
from netcalc.layers.merge import Add, Concat, Divide, MatMul, Multiply, Subtract

MERGES: dict[str, np.ufunc] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
}  # fmt: skip
"""The function of the layers that join tensors element by element, two at a time, by kind."""


def add(layer: Add, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """y = a + b + ...;  da = dy, summed where a was stretched."""
    shapes = [x.shape for x in xs]
    return reduce(np.add, xs), lambda dy: (tuple(unbroadcast(dy, shape) for shape in shapes), {})


def multiply(
    layer: Multiply, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = a b ...;  da = dy times the others, summed where a was stretched."""

    def backward(dy: Array) -> Gradients:
        others = (reduce(np.multiply, (*xs[:number], *xs[number + 1 :])) for number in range(len(xs)))
        return tuple(unbroadcast(dy * other, x.shape) for x, other in zip(xs, others, strict=True)), {}

    return reduce(np.multiply, xs), backward


def subtract(
    layer: Subtract, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = a - b;  da = dy,  db = -dy, summed where one was stretched."""
    a, b = (x.shape for x in xs)
    return np.subtract(*xs), lambda dy: ((unbroadcast(dy, a), -unbroadcast(dy, b)), {})


def divide(layer: Divide, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """y = a / b;  da = dy / b,  db = -dy a / b^2, summed where one was stretched."""
    a, b = xs

    def backward(dy: Array) -> Gradients:
        return (unbroadcast(dy / b, a.shape), unbroadcast(-dy * (a / b / b), b.shape)), {}

    return a / b, backward


def concat(layer: Concat, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """y is the tensors side by side;  each gets its own piece of dy."""
    axis = resolve_axis(layer.axis, xs[0].ndim - 1, "axis") + 1
    borders = np.cumsum([x.shape[axis] for x in xs])[:-1]
    return np.concatenate(xs, axis), lambda dy: (tuple(np.split(dy, borders, axis)), {})


def matmul(layer: MatMul, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """y = a b, or a b^T with `transpose`;  da = dy b^T,  db = a^T dy, summed where one was stretched."""
    a, b = xs
    right = b.swapaxes(-1, -2) if layer.transpose else b

    def backward(dy: Array) -> Gradients:
        da = unbroadcast(dy @ right.swapaxes(-1, -2), a.shape)
        dright = unbroadcast(a.swapaxes(-1, -2) @ dy, right.shape)
        return (da, dright.swapaxes(-1, -2) if layer.transpose else dright), {}

    return a @ right, backward
