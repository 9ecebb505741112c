"""The fast engines against the plain path, and the table against execution; each difference in words."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib import import_module
from itertools import product
from unittest.mock import patch

import numpy as np

from netcalc.backend import InferencePlan, Network, TrainingStep, random_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.verification import verify
from netcalc.diagnostics import ExecutionError

from plain_runs import PlainRuns, Round, distance, loaded

ROUNDING = {"float32": 5e-5, "float64": 1e-11}
"""What rounding may come to in a plan, of the largest output: Winograd's tiles lose two digits more."""
AMPLIFIED = 20
"""And how many times the plain path's own error, where a network makes more of rounding."""
TRAINING = {"float32": 2e-2, "float64": 1e-9}
"""The same for outputs and gradients of a step; in float32 a rectifier's input may round to the other side.

A batch norm over numbers that are equal but for rounding makes thousands of times more of it. What is beyond
this is held against what the plain path itself makes of parameters that are one rounding away.
"""
BATCHES = (1, 2, 3, 8)
ROUNDS = 3
SMALL_LIMITS = {
    "plan.operations": {"BLOCK_ELEMENTS": 200},
    "plan.lowering": {"_HEAVY_WEIGHTS": 40},
    "plan.convolution.operation": {"_LEAST_POSITIONS": 20, "_LEAST_FILTERS": 4},
    "plan.convolution.choice": {"_MANY_TILES": 4},
    "plan.convolution.depthwise": {"_BLOCK_ELEMENTS": 200, "_FEW_CHANNELS": 7},
    "plan.convolution.direct": {"_BLOCK_ELEMENTS": 200, "_LEAST_POSITIONS": 10},
    "plan.convolution.im2col": {"_BLOCK_BYTES": 4000, "_WIDE_BLOCK_BYTES": 6000, "_FEW_CHANNELS": 4},
    "plan.convolution.planar": {"_BLOCK_BYTES": 3000},
    "plan.convolution.winograd": {"_BLOCK_TILES": 4},
    "step.tiles": {"TILE": 50},
    "step.attention.heads": {"_BLOCK": 60, "_SAVED_WIDTHS": 0, "_FEWEST_QUERIES": 2},
    "step.convolution.columns": {"_FEWEST_SUMMED": 8, "_BLOCK_ELEMENTS": 300, "_SMALL_PRODUCT": 400},
    "step.convolution.depthwise": {"_LONG_ROW": 12},
    "step.convolution.winograd": {"_LEAST_CHANNELS": 1, "_MOST_BYTES": 8, "_BLOCK_ELEMENTS": 2000},
    "step.elementwise": {"_BLOCK_ELEMENTS": 50},
    "step.normalisation": {"_BLOCK_ELEMENTS": 50, "_MOST_OF_MEAN": 0.02},
}
"""Limits that only speed depends on, so small that small graphs go beyond them."""


@contextmanager
def small_limits(are_small: bool = True) -> Iterator[None]:
    """A context in which blocks are small and what is for large layers is for small ones, too."""
    with ExitStack() as stack:
        for name, limits in SMALL_LIMITS.items() if are_small else ():
            module = import_module(f"netcalc.backend.{name}")
            for limit, value in limits.items():
                stack.enter_context(patch.object(module, limit, value))
        yield


def some_plan_differences(runs: PlainRuns, number: int) -> Iterator[str]:
    """Where plans differ in each dtype, with one worker and two, at the batches whose turn it is."""
    with small_limits(number % 2 == 1):
        for turn, (dtype, workers) in enumerate(product(("float32", "float64"), (1, 2))):
            batch = BATCHES[(number + turn) % len(BATCHES)]
            for problem in plan_differences(runs, dtype, batch, workers):
                yield f"{dtype}, batch {batch}, {workers} workers: {problem}"


def some_step_differences(runs: PlainRuns, number: int) -> Iterator[str]:
    """Where a training step differs at the batch whose turn it is; each fifth time with one worker, in float32."""
    turns = [("float64", BATCHES[number % len(BATCHES)], 2, number % 3 > 0)]
    turns += [("float64", 3, 1, True), ("float32", 3, 2, True)] if number % 5 == 0 else []
    with small_limits(number % 2 == 1):
        for dtype, batch, most, input_gradients in turns:
            workers = min(batch, most)
            for problem in step_differences(runs, dtype, batch, workers, input_gradients):
                yield f"{dtype}, batch {batch}, {workers} workers: {problem}"


def plan_differences(runs: PlainRuns, dtype: str, batch: int, workers: int) -> Iterator[str]:
    """Where a plan's outputs, in its second run, are not the plain path's."""
    network = loaded(runs.graph, runs.weights(dtype), dtype)
    plain = runs.inference(dtype, batch)
    if isinstance(plain, ExecutionError):
        with suppress(ExecutionError), InferencePlan(network, batch, workers) as plan:
            plan.run(random_inputs(runs.graph, batch))
            yield f"runs what the plain path refuses: {plain}"
        return
    x, expected, own_error = plain
    most = ROUNDING[dtype] + AMPLIFIED * own_error
    with InferencePlan(network, batch, workers) as plan:
        plan.run({name: np.zeros_like(array) for name, array in x.items()})
        found = plan.run(x)
    if found.keys() != expected.keys():
        yield f"outputs {list(found)} for {list(expected)}"
        return
    for name, y in expected.items():
        if y.dtype.kind == "f" and found[name].dtype != dtype:
            yield f"{name} is {found[name].dtype}"
        if (error := distance(found[name], y)) > most:
            yield f"{name} is off by {error:.1e}, {most:.1e} allowed"


def step_differences(
    runs: PlainRuns, dtype: str, batch: int, workers: int, input_gradients: bool = True
) -> Iterator[str]:
    """Where a training step is not the plain path, in outputs, gradients or running statistics."""
    rounds = runs.training(dtype, batch, ROUNDS)
    network = loaded(runs.graph, runs.weights(dtype), dtype)
    if isinstance(rounds, ExecutionError):
        with suppress(ExecutionError), TrainingStep(network, batch, workers=workers) as step:
            step.forward(random_inputs(runs.graph, batch))
            yield f"runs what the plain path refuses: {rounds}"
        return
    with TrainingStep(network, batch, input_gradients=input_gradients, workers=workers) as step:
        for number, expected in enumerate(rounds):
            nudged = partial(runs.nudged, dtype, batch, ROUNDS, number)
            for problem in _round_differences(step, network, expected, nudged, dtype, input_gradients):
                yield f"round {number}: {problem}"
            for name, array in network.parameters().items():
                array[...] = expected.moved[name]


def _round_differences(
    step: TrainingStep,
    network: Network,
    expected: Round,
    nudged: Callable[[], list[Round]],
    dtype: str,
    input_gradients: bool,
) -> Iterator[str]:
    outputs = step.forward(expected.x)
    named = outputs if isinstance(outputs, dict) else {next(iter(expected.outputs)): outputs}
    yield from _compared("output", named, expected.outputs, nudged, "outputs", dtype, 1e-3)
    grads = step.backward(expected.upstream)
    wanted = {name: dx if input_gradients else None for name, dx in expected.inputs.items()}
    if len(expected.upstream) < len(expected.outputs):  # what it would have reached is 0 in a step
        wanted = {
            name: np.zeros_like(dx) if own is None and (dx := grads.inputs[name]) is not None else own
            for name, own in wanted.items()
        }
    reached = [
        np.abs(array).max(initial=0)
        for array in (*expected.params.values(), *wanted.values())
        if array is not None
    ]
    least = 1e-3 * max([1.0, *filter(np.isfinite, reached)])  # 1 is the size of the upstream gradients
    yield from _compared("gradient of", grads.params, expected.params, nudged, "params", dtype, least)
    yield from _compared("gradient of", grads.inputs, wanted, nudged, "inputs", dtype, least)
    after = network.parameters()
    yield from _compared("after the forward,", after, expected.after, nudged, "after", dtype, 1e-3)


def _compared(
    what: str,
    found: Mapping[str, Array | None],
    expected: Mapping[str, Array | None],
    nudged: Callable[[], list[Round]],
    field: str,
    dtype: str,
    least: float,
) -> Iterator[str]:
    if found.keys() != expected.keys():
        yield f"{what} {list(found)} for {list(expected)}"
        return
    for name, wanted in expected.items():
        own = found[name]
        if own is None or wanted is None:
            if (own is None) != (wanted is None):
                yield f"{what} {name} is {'missing' if own is None else 'there'}"
        elif own.dtype != wanted.dtype:
            yield f"{what} {name} is {own.dtype}, not {wanted.dtype}"
        elif not (error := apart(own, wanted, least)) <= TRAINING[dtype]:
            others = (getattr(each, field)[name] for each in nudged())
            rounding = max(
                (apart(other, wanted, least) for other in others if other is not None), default=0.0
            )
            if not error <= AMPLIFIED * rounding:
                yield f"{what} {name} is off by {error:.1e}, rounding makes {rounding:.1e}"


def apart(found: Array, expected: Array, least: float) -> float:
    """The norm of the difference relative to the expected one's, which counts as `least` an element at least."""
    if found.shape != expected.shape:
        return float("inf")
    finite = np.isfinite(expected)
    if not np.array_equal(finite, np.isfinite(found)):
        return float("inf")
    if not finite.any():
        return 0.0
    found, expected = found[finite].astype(np.float64), expected[finite].astype(np.float64)
    scale = max(np.abs(expected).max(initial=0), least)  # so that no square is too large
    norm = np.linalg.norm(expected / scale)
    return float(np.linalg.norm((found - expected) / scale) / max(norm, least / scale * expected.size**0.5))


def table_differences(runs: PlainRuns) -> Iterator[str]:
    """Where shapes, parameters, multiply-adds or kept bytes are not those that were counted."""
    if isinstance(runs.inference("float32", 1), ExecutionError):
        return  # one sample is what is verified
    for row in verify(Network(runs.graph, seed=1)):
        yield from (f"{row.node.full_name}: {problem}" for problem in row.wrong)
