"""Activations applied in place, as epilogues of the operation that computes their input.

Each gives the same values as the layer's kernel; the formulas are in the layers' docstrings.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.calls import Call, Epilogue, Scratch, merged_rows
from netcalc.layers import Layer
from netcalc.layers.activation import LeakyReLU
from netcalc.layers.arithmetic import Scale

Rule = Callable[[Any, Array, Scratch], Iterator[Call]]


def _clipped(y: Array, least: float, most: float) -> Iterator[Call]:
    """One clip, which takes a third of the time of a `np.maximum` with a number."""
    yield partial(y.clip, y.dtype.type(least), y.dtype.type(most), out=y)


def relu(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    yield from _clipped(y, 0, np.inf)


def relu6(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    yield from _clipped(y, 0, 6)


def sigmoid(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    # np.negative in place is wrong in NumPy 2.4 on views that leave out three numbers of four
    yield partial(np.multiply, y, y.dtype.type(-1), y)
    yield partial(np.exp, y, y)
    yield partial(np.add, y, y.dtype.type(1), y)
    yield partial(np.reciprocal, y, y)


def tanh(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    yield partial(np.tanh, y, y)


def hardsigmoid(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    yield partial(np.add, y, y.dtype.type(3), y)
    yield from _clipped(y, 0, 6)
    yield partial(np.multiply, y, y.dtype.type(1 / 6), y)


def silu(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    with scratch.lent():
        gate = scratch.take(y.shape, y.dtype)
        yield partial(np.copyto, gate, y)
        yield from sigmoid(layer, gate, scratch)
        yield partial(np.multiply, y, gate, y)


def hardswish(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    with scratch.lent():
        gate = scratch.take(y.shape, y.dtype)
        yield partial(np.add, y, y.dtype.type(3), gate)
        yield from _clipped(gate, 0, 6)
        yield partial(np.multiply, y, gate, y)
        yield partial(np.multiply, y, y.dtype.type(1 / 6), y)


def leaky_relu(layer: LeakyReLU, y: Array, scratch: Scratch) -> Iterator[Call]:
    with scratch.lent():
        below = scratch.take(y.shape, y.dtype)
        yield partial(y.clip, y.dtype.type(-np.inf), y.dtype.type(0), out=below)
        yield partial(np.multiply, below, y.dtype.type(layer.slope), below)
        yield from relu(layer, y, scratch)
        yield partial(np.add, y, below, y)


def scale(layer: Scale, y: Array, scratch: Scratch) -> Iterator[Call]:
    yield partial(np.multiply, y, y.dtype.type(layer.factor), y)
    yield partial(np.add, y, y.dtype.type(layer.shift), y)


def exp(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    yield partial(np.exp, y, y)


def log(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    yield partial(np.log, y, y)


def sqrt(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    yield partial(np.sqrt, y, y)


def absolute(layer: Layer, y: Array, scratch: Scratch) -> Iterator[Call]:
    yield partial(np.absolute, y, y)


EPILOGUES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        relu, relu6, sigmoid, tanh, hardsigmoid, silu, hardswish, leaky_relu, scale, exp, log, sqrt, absolute,
    )
}  # fmt: skip
"""The activations that can be applied in place, by kind."""


def epilogue_of(layer: Layer | None) -> Epilogue | None:
    """The epilogue that applies an activation, or None without one."""
    if layer is None:
        return None
    rule = EPILOGUES[layer.kind]

    def apply(y: Array, scratch: Scratch) -> Iterator[Call]:
        return rule(layer, merged_rows(y) if y.ndim == 4 else y, scratch)

    return apply
