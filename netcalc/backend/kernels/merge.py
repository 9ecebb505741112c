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
    shapes = [x.shape for x in xs]
    wanted = [place for place in range(len(xs)) if context.wants(place)]
    y = reduce(np.multiply, xs)
    if len(wanted) == 1:  # the product of the others is enough
        (place,) = wanted
        factors = {place: reduce(np.multiply, (*xs[:place], *xs[place + 1 :]))}
    else:
        factors = dict(enumerate(xs)) if wanted else {}

    def backward(dy: Array) -> Gradients:
        gradients: list[Array | None] = [None] * len(shapes)
        for place in wanted:
            others = [factor for other, factor in factors.items() if other != place or len(wanted) == 1]
            gradients[place] = unbroadcast(dy * reduce(np.multiply, others), shapes[place])
        return tuple(gradients), {}

    return y, backward


def subtract(
    layer: Subtract, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = a - b;  da = dy,  db = -dy, summed where one was stretched."""
    a, b = (x.shape for x in xs)
    return np.subtract(*xs), lambda dy: ((unbroadcast(dy, a), -unbroadcast(dy, b)), {})


def divide(layer: Divide, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """y = a / b;  da = dy / b,  db = -dy a / b^2, summed where one was stretched."""
    a, b = xs
    shape, dividend = a.shape, a if context.wants(1) else None

    def backward(dy: Array) -> Gradients:
        db = None if dividend is None else unbroadcast(-dy * (dividend / b / b), b.shape)
        return (unbroadcast(dy / b, shape), db), {}

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
    shapes = a.shape, right.shape
    kept_left, kept_right = a if context.wants(1) else None, right if context.wants(0) else None

    def backward(dy: Array) -> Gradients:
        da = db = None
        if kept_right is not None:
            da = unbroadcast(dy @ kept_right.swapaxes(-1, -2), shapes[0])
        if kept_left is not None:
            db = unbroadcast(kept_left.swapaxes(-1, -2) @ dy, shapes[1])
            db = db.swapaxes(-1, -2) if layer.transpose else db
        return (da, db), {}

    return a @ right, backward
