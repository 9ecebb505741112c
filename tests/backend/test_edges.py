"""NaN, infinity, signed zeros, subnormal and huge numbers: what goes through a layer is what PyTorch has."""

import json
from typing import Any

import numpy as np
import pytest
from edge_cases import CASES, UPSTREAM, Case, parameter, upstream

from netcalc.backend import InferencePlan, Network, TrainingStep
from netcalc.backend.kernels.base import Array

from helpers import TESTS, graph_of

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "edges.json").read_text())["cases"]
TOLERANCE = {"float64": 1e-13, "float32": 2e-6, "float16": 2e-3, "bfloat16": 1.6e-2}
"""Relative: of float16 and bfloat16 two units in the last place."""
ROUNDING = {"float64": 3e-16, "float32": 2e-7, "float16": 1e-7, "bfloat16": 1e-7}
"""Absolute: what is left of terms of about 1 that cancel, as in tanh's 1 - y^2, and of subnormal numbers."""
NORM_ROUNDING = {"float64": 1e-14, "float32": 2e-6, "float16": 1e-3, "bfloat16": 8e-3}
"""The same of a norm's terms, which PyTorch rounds each in half precision."""


def network(case: Case, dtype: str) -> Network:
    """The layer with the parameters that were recorded."""
    shape = list(case.x(dtype).shape[1:])
    options = json.dumps({"name": "y", **case.options})
    made = Network(graph_of(f"input: {shape}\nlayers: [{{{case.kind}: {options}}}]"), dtype=dtype)
    for name, array in made.parameters().items():
        array[...] = parameter(name.rpartition(".")[2], array.size).reshape(array.shape)
    return made


def assert_same(found: Array, recorded: list[float | None], case: Case, dtype: str, what: str) -> None:
    """Equal in what is NaN and what is infinite, and close in the rest."""
    wanted = np.array([np.nan if number is None else number for number in recorded])
    flat = np.asarray(found, np.float64).reshape(-1)
    rtol, atol = TOLERANCE[dtype], ROUNDING[dtype]
    if case.kind == "power" and dtype == "float16":
        # PyTorch rounds each factor of the gradient, to infinity or to nothing; its root is C's power there
        flat = np.where(np.isfinite(wanted) & np.isfinite(flat), flat, wanted)
    elif case.kind.endswith("norm"):
        atol = NORM_ROUNDING[dtype]
    elif case.kind == "gelu":
        # PyTorch's squares and cubes overflow, in float32 in some places of an array and not in others
        flat = np.where(np.isfinite(wanted), flat, wanted)
        atol = (
            max(atol, 1e-6) if dtype in ("float32", "bfloat16") else atol
        )  # of its 1 + erf few digits are left
    elif case.kind == "hardsigmoid" and dtype == "float64":
        rtol = 1e-7  # its sixth is float32's
    assert np.array_equal(np.isnan(flat), np.isnan(wanted)), f"{what}: NaN, {flat} for {wanted}"
    np.testing.assert_allclose(flat, wanted, rtol, atol, err_msg=what)


RUNS = [
    (case, recorded, dtype)
    for case in CASES
    for recorded in case.dtypes
    for dtype in (("float64", "float32") if case.dtypes == ("float64",) else (recorded,))
    if case.kind != "lrn" or recorded in ("float32", "float64")
]
"""Each case in each of its types; those that are recorded in float64 alone in float32 too; PyTorch has no lrn in half precision."""


@pytest.mark.parametrize(
    ("case", "recorded", "dtype"), RUNS, ids=[f"{case.name} {dtype}" for case, _, dtype in RUNS]
)
def test_a_layer_is_pytorchs_at_the_edge(case: Case, recorded: str, dtype: str) -> None:
    made = network(case, dtype)
    y, *gradients = RECORDED[f"{case.name} {recorded}"]
    result = made.run(case.x(recorded), training=case.training)
    assert_same(result.outputs["y"], y, case, dtype, "y")
    each = len(gradients) // len(UPSTREAM)
    for turn in range(len(UPSTREAM)):
        grads = result.backward(upstream(result.outputs["y"].shape, turn))
        own = dict(zip(("dx", *grads.params), gradients[turn * each : (turn + 1) * each], strict=True))
        for name, wanted in own.items():
            found = grads.inputs["input"] if name == "dx" else grads.params[name]
            assert found is not None
            assert_same(found, wanted, case, dtype, f"{name}, turn {turn}")


@pytest.mark.parametrize("form", ["exact", "tanh"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_gelu_of_what_is_large_is_that_or_nothing(form: str, dtype: str) -> None:
    largest = Case("gelu", {}).x(dtype).reshape(-1)[27]
    made = Network(graph_of(f"input: [6]\nlayers: [{{gelu: {{form: '{form}'}}}}]"), dtype=dtype)
    x = np.array([[largest, -largest, 100.0, -100.0, np.inf, np.nan]])
    np.testing.assert_array_equal(made.forward(x), [[largest, 0, 100, 0, np.inf, np.nan]])
    dx = made.backward().inputs["input"]
    assert dx is not None
    np.testing.assert_array_equal(dx[0, :4], [1, 0, 1, 0])


@pytest.mark.parametrize(
    ("x", "y"), [(-3.0, -0.0040497), (-4.0, -0.00012669), (-4.5, -1.5289e-05), (-5.0, -1.4332e-06)]
)
def test_gelu_in_float16_has_the_digits_that_float16_has(x: float, y: float) -> None:
    made = Network(graph_of("input: [1]\nlayers: [gelu]"), dtype="float16")
    assert abs(float(made.forward(np.array([[x]]))[0, 0]) - y) < 1e-7 + abs(y) * 2.0**-11


def assert_equal(found: Array | None, wanted: Array | None, what: str) -> None:
    assert found is not None
    assert wanted is not None
    np.testing.assert_allclose(found, wanted, 2e-6, 2e-6, err_msg=what)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_training_step_is_the_plain_path_at_the_edge(case: Case) -> None:
    made, x = network(case, "float32"), case.x("float32")
    plain = made.run(x, training=True)
    with TrainingStep(made, len(x), input_gradients=True) as step:
        for turn in range(len(UPSTREAM)):
            y = step.forward(x)
            assert_equal(y, plain.outputs["y"], "y")
            dy = upstream(y.shape, turn)
            grads, wanted = step.backward(dy), plain.backward(dy)
            assert_equal(grads.inputs["input"], wanted.inputs["input"], f"dx, turn {turn}")
            for name, gradient in grads.params.items():
                assert_equal(gradient, wanted.params[name], f"{name}, turn {turn}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_plan_is_the_plain_path_at_the_edge(case: Case) -> None:
    made, x = network(case, "float32"), case.x("float32")
    with InferencePlan(made, len(x)) as plan:
        assert_equal(plan.forward(x), made.forward(x), "y")
