"""Analytic gradients against finite differences, a layer at a time, in float64.

Each layer is run on what it reads in the network, with a random upstream gradient g, and the slope of
f(x) = sum of g y(x) along a direction d is compared with the gradient's product with d. Directions are
random ones through all elements, and single elements.

A difference that is right at some step is right: truncation shrinks with the step, rounding grows. A
kink, where two sides have different slopes, spoils differences at every step and yet is no fault; it
is recognised by a second check at a shifted point, where a faulty gradient stays wrong.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from netcalc.backend.inputs import random_inputs
from netcalc.backend.kernels import KERNELS, Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.network import Network
from netcalc.graph import Graph, Node

Verdict = Literal["right", "kink", "wrong"]

TOLERANCE = 1e-6
"""The largest difference of slopes that is right, relative to the gradient's norm."""
STEPS = (1e-3, 1e-5, 1e-7)
DIRECTIONS = 2
ELEMENTS = 4
_SHIFT = 0.1
"""Offset of the second check, made where the first may straddle a kink, in standard deviations of x."""


class Check(NamedTuple):
    """What was found for one input or parameter of a layer; `error` is relative to the gradient's norm."""

    node: Node
    array: str
    """`input` or the input's name, or the parameter's own name."""
    verdict: Verdict
    error: float
    norm: float
    """The gradient's norm."""


class _BoundLayer(NamedTuple):
    """One layer to be run again and again: its arrays are written to in between."""

    node: Node
    inputs: list[Array]
    params: dict[str, Array]
    training: bool
    seed: tuple[int, ...]
    upstream: Array

    def run(self) -> tuple[Array, Callable[[Array], tuple[tuple[Array | None, ...], dict[str, Array]]]]:
        rng = np.random.default_rng(self.seed) if self.training else None
        context = Context(self.training, rng, self.node.is_frozen)
        params = {name: array.copy() for name, array in self.params.items()}  # statistics move in training
        params.update({name: self.params[name] for name in self.learned})
        with np.errstate(all="ignore"):
            return KERNELS[self.node.layer.kind](self.node.layer, params, tuple(self.inputs), context)

    @property
    def learned(self) -> list[str]:
        return [param.name for param in self.node.params if param.trainable]

    def loss(self) -> float:
        y, _ = self.run()
        return float((y * self.upstream).sum())

    def arrays(self) -> Iterator[tuple[str, Array, Array]]:
        """Each input and parameter that has a gradient: its name, itself, its gradient."""
        _, backward = self.run()
        dxs, dparams = backward(self.upstream)
        several = len(self.inputs) > 1
        for name, x, dx in zip(self.node.inputs, self.inputs, dxs, strict=True):
            if dx is not None:
                yield (f"input {name}" if several else "input"), x, dx
        for name in self.learned:
            yield name, self.params[name], dparams[name]


def check_gradients(
    graph: Graph,
    seed: int = 0,
    batch: int = 2,
    training: bool = True,
    only: Sequence[str] = (),
    advance: Callable[[Node], None] | None = None,
) -> Iterator[Check]:
    """Check every layer, or those named in `only`, on random inputs; one result an array, in order.

    `advance` is called with each layer that is done. Raises ExecutionError where the network cannot be run.
    """
    network = Network(graph, seed, "float64")
    rng = np.random.default_rng(seed)
    for name, array in network.parameters().items():
        array += (
            rng.normal(0, 0.01, array.shape)
            if "running_var" not in name
            else rng.uniform(0, 0.1, array.shape)
        )
    tensors: dict[str, tuple[Array, ...]] = {}

    def observe(node: Node, xs: tuple[Array, ...], *_: object) -> None:
        if not only or node.full_name in only:
            tensors[node.full_name] = xs

    x = random_inputs(graph, batch, seed, "float64")
    network.run(x, training=training, gradients=False, observe=observe)
    for number, node in enumerate(graph.nodes):
        if node.full_name not in tensors:
            continue
        params = {name: array.copy() for name, array in network.arrays_of(node).items()}
        xs = [x.copy() for x in tensors.pop(node.full_name)]
        upstream = rng.standard_normal((batch, *node.output.shape))
        bound = _BoundLayer(node, xs, params, training, (seed, number), upstream)
        yield from _check_layer(bound, rng)
        if advance is not None:
            advance(node)


def _check_layer(bound: _BoundLayer, rng: np.random.Generator) -> Iterator[Check]:
    """The results for one layer; an array that fails is checked again at a shifted point."""
    for name, array, gradient in list(bound.arrays()):
        norm = float(np.linalg.norm(gradient))
        error = _error(bound, array, gradient, rng)
        verdict: Verdict = "right"
        if not error < TOLERANCE:
            unshifted = [x.copy() for x in bound.inputs]
            for x in bound.inputs:
                if x.dtype.kind == "f":
                    x += _SHIFT * (float(x.std()) or 1.0) * rng.standard_normal(x.shape)
            moved = {again: gradient for again, _, gradient in bound.arrays()}
            shifted_error = _error(bound, array, moved[name], rng)
            verdict = "kink" if shifted_error < TOLERANCE else "wrong"
            for x, before in zip(bound.inputs, unshifted, strict=True):
                x[...] = before
        yield Check(bound.node, name, verdict, error, norm)


def _error(bound: _BoundLayer, array: Array, gradient: Array, rng: np.random.Generator) -> float:
    """The largest difference between slopes and the gradient's, relative to the gradient's norm."""
    scale = float(np.linalg.norm(gradient)) or 1.0
    return max(
        _difference(bound.loss, array, direction, float((gradient * direction).sum())) / scale
        for direction in _directions(array.shape, rng)
    )


def _directions(shape: tuple[int, ...], rng: np.random.Generator) -> Iterator[Array]:
    """Random ones of unit length an element, then single elements."""
    for _ in range(DIRECTIONS):
        yield rng.standard_normal(shape)
    size = int(np.prod(shape))
    for element in rng.choice(size, min(ELEMENTS, size), replace=False):
        direction = np.zeros(size)
        direction[element] = 1
        yield direction.reshape(shape)


def _difference(loss: Callable[[], float], array: Array, direction: Array, analytic: float) -> float:
    """The least difference between the analytic slope and one by differences of fourth order."""
    start = array.copy()
    least = np.inf
    for step in STEPS:
        values = []
        for factor in (-2, -1, 1, 2):
            array[...] = start + factor * step * direction
            values.append(loss())
        slope = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
        least = min(least, abs(slope - analytic))
        if least < TOLERANCE / 100:
            break
    array[...] = start
    return least
