"""NaN, infinity, signed zeros, subnormal and huge numbers: what goes through a layer is what PyTorch has."""

import json
from typing import Any

import numpy as np
import pytest

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array

from edge_cases import CASES, UPSTREAM, Case, parameter, upstream
from helpers import TESTS, graph_of

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "edges.json").read_text())["cases"]
TOLERANCE = {"float64": 1e-13, "float32": 2e-6, "float16": 2e-3, "bfloat16": 1.6e-2}
"""Relative: of float16 and bfloat16 two units in the last place."""
SMALLEST = {"float64": 1e-300, "float32": 2e-38, "float16": 1e-7, "bfloat16": 2e-38}
"""What a result may be off at zero: subnormal numbers lose digits."""


def network(case: Case, dtype: str) -> Network:
    """The layer with the parameters that were recorded."""
    shape = list(case.x(dtype).shape[1:])
    options = json.dumps({"name": "y", **case.options})
    made = Network(graph_of(f"input: {shape}\nlayers: [{{{case.kind}: {options}}}]"), dtype=dtype)
    for name, array in made.parameters().items():
        array[...] = parameter(name.rpartition(".")[2], array.size).reshape(array.shape)
    return made


def assert_same(found: Array, recorded: list[float | None], dtype: str, what: str) -> None:
    """Equal in what is NaN and what is infinite, and close in the rest."""
    wanted = np.array([np.nan if number is None else number for number in recorded])
    flat = np.asarray(found, np.float64).reshape(-1)
    assert np.array_equal(np.isnan(flat), np.isnan(wanted)), f"{what}: NaN, {flat} for {wanted}"
    rest = ~np.isnan(wanted)
    np.testing.assert_allclose(
        flat[rest], wanted[rest], TOLERANCE[dtype], SMALLEST[dtype], err_msg=what
    )


BOTH = [(case, dtype, recorded) for case in CASES for recorded in case.dtypes for dtype in (("float64", "float32") if len(case.dtypes) == 1 else (recorded,)) if f"{case.name} {recorded}" in RECORDED]

@pytest.mark.parametrize(("case", "dtype", "recorded"), BOTH, ids=lambda v: v.name if isinstance(v, Case) else v)
def test_a_layer_is_pytorchs_at_the_edge(case: Case, dtype: str, recorded: str) -> None:
    made = network(case, dtype)
    y, *gradients = RECORDED[f"{case.name} {recorded}"]
    result = made.run(case.x(recorded), training=case.training)
    assert_same(result.outputs["y"], y, dtype, "y")
    each = len(gradients) // len(UPSTREAM)
    for turn in range(len(UPSTREAM)):
        grads = result.backward(upstream(result.outputs["y"].shape, turn))
        own = dict(zip(("dx", *grads.params), gradients[turn * each : (turn + 1) * each], strict=True))
        for name, wanted in own.items():
            found = grads.inputs["input"] if name == "dx" else grads.params[name]
            assert found is not None
            assert_same(found, wanted, dtype, f"{name}, turn {turn}")
