"""What the plain path gives for a graph, kept so that the fast engines can be held against it many times."""

from functools import cache
from typing import NamedTuple

import numpy as np

from netcalc.backend import Network, random_inputs
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import ExecutionError
from netcalc.graph import Graph

Arrays = dict[str, Array]
NUDGES = 6
"""How many times the plain path runs with nudged parameters, where that is asked."""


class Inference(NamedTuple):
    """One run on the plain path."""

    x: Arrays
    exact: Arrays
    """The outputs in float64, for the numbers that the other dtype has."""
    error: float
    """How far the outputs in that dtype are off them."""


class Round(NamedTuple):
    """One training step on the plain path."""

    x: Arrays
    outputs: Arrays
    upstream: Arrays
    """For some of the outputs; the gradient of the others is 0."""
    params: Arrays
    """The gradients of the parameters."""
    inputs: dict[str, Array | None]
    after: Arrays
    """All parameters and running statistics after the forward."""
    moved: Arrays
    """The parameters with which the next round begins, as an optimiser would leave them."""


class PlainRuns:
    """Inference and training of one graph, each computed once for a dtype and batch."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.inference = cache(self._inference)
        self.training = cache(self._training)
        self._nudged_steps = cache(self._nudged)
        self.weights = cache(self._weights)

    def _weights(self, dtype: str) -> Arrays:
        """Parameters that are all off their starting values, running statistics among them."""
        network = Network(self.graph, seed=1, dtype=dtype)
        rng = np.random.default_rng(5)
        for name, array in network.parameters().items():
            if name.endswith("running_var"):
                array[...] = rng.uniform(0.5, 1.5, array.shape)
            elif array.ndim < 2:
                array += rng.normal(0, 0.3, array.shape).astype(dtype)
            else:
                array *= 1.5
        return network.parameters()

    def _inference(self, dtype: str, batch: int) -> "Inference | ExecutionError":
        """One run; or the error that refuses it."""
        x = random_inputs(self.graph, batch, seed=7, dtype=dtype)
        weights = self.weights(dtype)
        networks = (loaded(self.graph, weights, of) for of in (dtype, "float64"))
        try:
            own, exact = (network.run(x, gradients=False).outputs for network in networks)
        except ExecutionError as error:
            return error
        return Inference(x, exact, max(distance(own[name], y) for name, y in exact.items()))

    def nudged(self, dtype: str, batch: int, rounds: int, number: int) -> list[Round]:
        """One of these steps, several times, with parameters a few roundings away."""
        return [steps[number] for steps in self._nudged_steps(dtype, batch, rounds)]

    def _nudged(self, dtype: str, batch: int, rounds: int) -> list[tuple[Round, ...]]:
        """The same steps, several times, with parameters a few roundings away: how far these lie apart is rounding."""
        found = []
        for seed in range(NUDGES):
            rng, epsilon = np.random.default_rng(seed), np.finfo(dtype).eps
            nudged = {
                name: (array * (1 + epsilon * rng.integers(-3, 4, array.shape))).astype(dtype)
                for name, array in self.weights(dtype).items()
            }
            steps = self._training(dtype, batch, rounds, nudged)
            found += [] if isinstance(steps, ExecutionError) else [steps]
        return found

    def _training(
        self, dtype: str, batch: int, rounds: int, weights: Arrays | None = None
    ) -> tuple[Round, ...] | ExecutionError:
        """So many steps; or the error that refuses them."""
        network = loaded(self.graph, weights or self.weights(dtype), dtype)
        try:
            return tuple(self._round(network, batch, number) for number in range(rounds))
        except ExecutionError as error:
            return error

    def _round(self, network: Network, batch: int, number: int) -> Round:
        rng = np.random.default_rng(number)
        x = random_inputs(self.graph, batch, number, network.dtype)
        result = network.run(x, training=True, input_gradients=True)
        names = list(result.outputs)
        finite = all(np.isfinite(y).all() for y in result.outputs.values())  # 0 times infinity is no 0
        given = names[1:] if number == 1 and len(names) > 1 and finite else names
        upstream = {
            name: rng.standard_normal(result.outputs[name].shape).astype(network.dtype) for name in given
        }
        outputs = copied(result.outputs)
        grads = result.backward(upstream)
        after = copied(network.parameters())
        for name, array in network.parameters().items():
            if "running" not in name:
                array *= rng.uniform(0.9, 1.1, array.shape).astype(network.dtype)
        inputs = {name: None if dx is None else dx.copy() for name, dx in grads.inputs.items()}
        return Round(x, outputs, upstream, copied(grads.params), inputs, after, copied(network.parameters()))


def distance(found: Array, expected: Array) -> float:
    """The largest error relative to the largest element; infinite where what is not finite stands elsewhere."""
    if found.shape != expected.shape or not np.array_equal(np.isfinite(found), np.isfinite(expected)):
        return float("inf")
    finite = np.isfinite(expected)
    apart = np.abs(found[finite].astype(np.float64) - expected[finite])
    return float(apart.max(initial=0) / max(np.abs(expected[finite]).max(initial=0), 1e-30))


def copied(arrays: Arrays) -> Arrays:
    return {name: array.copy() for name, array in arrays.items()}


def loaded(graph: Graph, weights: Arrays, dtype: str) -> Network:
    network = Network(graph, seed=1, dtype=dtype)
    network.load(weights)
    return network
