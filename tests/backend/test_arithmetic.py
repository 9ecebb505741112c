"""Arithmetic and norms without a shift in the fast engines: fused, stretched, and beside the plain path."""

from typing import Any

import numpy as np
import pytest

from netcalc.backend import InferencePlan, Network, TrainingStep, random_inputs
from netcalc.backend.folding import fold
from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.fusion import fused_stages
from netcalc.backend.verification import verify

from helpers import graph_of

CONV = "conv: {filters: 6, kernel: 3, pad: 1}"
FUNCTIONS = (
    "exp", "absolute", "sqrt", "log", "scale: {factor: -0.5, shift: 2}", "scale: {shift: 1}", "power: {exponent: 2}",
)  # fmt: skip
NETS: dict[str, str] = {
    **{f"{of}, {function}": f"{of}, absolute, {{scale: {{shift: 0.1}}}}, {function}"
       for of in ("conv", "linear") for function in FUNCTIONS},
    "a sum of squares": "conv, {power: {exponent: 2}}, {reduce: {axes: [0], how: sum, keep: true}}, sqrt",
    **{f"{kind}, {first} first": f"conv, {{{kind}: {{name: joined, from: [{first}, {other}]}}}}, tanh"
       for kind in ("subtract", "divide") for first, other in (("conv1", "level"), ("level", "conv1"))},
    "a norm without shift": "conv, {batchnorm: {bias: false}}, relu, conv, {batchnorm: {bias: false}}",
    "such a norm alone": "relu, {batchnorm: {bias: false}}",
    "such a norm of the batch": "conv, {batchnorm: {bias: false, running: false}}",
}  # fmt: skip
"""After the mean of each position, `level`, of an image."""


def text(items: str) -> str:
    """The items after a first layer, which the joins read too."""
    written = items.replace("conv,", f"{{{CONV}}},").replace("linear,", "{linear: {units: 5}},")
    level = "{reduce: {axes: [0], keep: true}}, {scale: {shift: 9}}, {identity: {name: level}}"
    return f"input: [3, 7, 8]\nlayers: [{level}, {written.replace('{conv:', '{conv: ', 1)}]\n"


def network(items: str, dtype: str) -> Network:
    made = Network(graph_of(text(items)), seed=1, dtype=dtype)
    rng = np.random.default_rng(5)
    for name, array in made.parameters().items():
        moved = rng.uniform(0.2, 1, array.shape) if "running_var" in name else rng.normal(0, 0.2, array.shape)
        array += moved.astype(dtype)
    return made


def apart(found: Any, expected: Any) -> float:
    """The norm of a difference, relative to what is expected."""
    return float(np.linalg.norm(found - expected) / (np.linalg.norm(expected) + 1e-30))


@pytest.mark.parametrize("items", NETS.values(), ids=NETS)
@pytest.mark.parametrize(("batch", "workers"), [(1, 1), (3, 2)])
@pytest.mark.parametrize(("dtype", "largest"), [("float32", 1e-5), ("float64", 1e-12)])
def test_plans(items: str, batch: int, workers: int, dtype: str, largest: float) -> None:
    made = network(items, dtype)
    x = random_inputs(made.graph, batch, seed=3, dtype=dtype)
    expected = made.forward(x, gradients=False)
    assert isinstance(expected, np.ndarray)
    assert np.isfinite(expected).all()
    with InferencePlan(made, batch, workers) as plan:
        plan.run(x)
        (found,) = plan.run(x).values()
    assert apart(found, expected) < largest


@pytest.mark.parametrize("items", NETS.values(), ids=NETS)
def test_training_steps(items: str) -> None:
    plain, same = network(items, "float64"), network(items, "float64")
    with TrainingStep(same, 3, input_gradients=True, workers=2) as step:
        for number in range(2):
            x = random_inputs(plain.graph, 3, number, "float64")
            result, y = plain.run(x, training=True), step.forward(x)
            (expected,) = result.outputs.values()
            assert apart(y, expected) < 1e-12
            upstream = np.random.default_rng(number).standard_normal(expected.shape)
            wanted, found = result.backward(upstream), step.backward(upstream)
            largest = (
                max(float(np.linalg.norm(array)) for array in wanted.params.values()) if wanted.params else 0
            )
            for name, array in wanted.params.items():
                scale = float(np.linalg.norm(array)) + 1e-3 * largest
                assert np.linalg.norm(found.params[name] - array) / scale < 1e-10, name
            dx: dict[str, Array | None] = wanted.inputs
            assert apart(found.inputs["input"], dx["input"]) < 1e-10
            for name, array in plain.parameters().items():
                assert apart(same.parameters()[name], array) < 1e-12, name


def test_what_is_fused() -> None:
    """A function follows a join and a convolution in place."""
    listed, _ = fused_stages(graph_of(text("conv, exp, {subtract: {from: [exp1, level]}}, sqrt")))
    assert [(stage.kind, stage.activation and stage.activation.kind) for stage in listed[-2:]] == [
        ("conv", "exp"), ("subtract", "sqrt"),
    ]  # fmt: skip


def test_a_norm_without_shift_folds() -> None:
    made = network(NETS["a norm without shift"], "float64")
    folded = fold(made.graph, made.parameters())
    assert len(folded.into) == 2
    again = Network(folded.graph, dtype="float64")
    again.load(folded.arrays)
    x = random_inputs(made.graph, 2, dtype="float64")
    np.testing.assert_allclose(again.forward(x), made.forward(x), rtol=1e-10)  # type: ignore[arg-type]


def test_verification_of_what_is_not_a_number() -> None:
    """Roots and logarithms of random numbers are NaN on both ways, and no difference."""
    rows = verify(Network(graph_of("input: [4, 5]\nlayers: [sqrt, {scale: {factor: 2}}, log]\n")))
    assert [row.wrong for row in rows] == [(), (), ()]
