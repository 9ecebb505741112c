"""Single layers against PyTorch: outputs, every gradient and running statistics of each recorded case.

`tests/golden/make_kernels.py` recorded them; both sides draw the same numbers by `tests/golden/seeded.py`.
"""

import json
from typing import Any

import numpy as np
import pytest

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.layers import LAYERS

from cases import Case, frozen
from helpers import TESTS
from seeded import case_input, difference, parameter, upstream
from test_layers import graph_of_case

RECORDED: list[list[Any]] = json.loads((TESTS / "golden" / "kernels.json").read_text())["cases"]
LARGEST = {"float64": 1e-10, "float32": 1e-5}
"""The largest error of an array, relative to its norm."""


def layer_of(fields: dict[str, Any]) -> Case:
    """The layer that a recorded case is of."""
    options = {name: frozen(value) for name, value in fields["options"].items()}
    return Case(fields["kind"], options, frozen(fields["inputs"]))


def name_of(recorded: list[Any]) -> str:
    fields = recorded[0]
    flags = "".join(f"-{flag}" for flag in ("training", "whole", "spread") if flag in fields)
    return f"{layer_of(fields)}{flags}"


def results(fields: dict[str, Any], dtype: str) -> dict[str, Array | None]:
    """What the layer gives forward and backward, named as `expected` names it."""
    text = json.dumps(fields, separators=(",", ":"))
    network = Network(graph_of_case(layer_of(fields)), dtype=dtype)
    for name, array in network.parameters().items():
        own = name.removeprefix("y.")
        array[...] = parameter(f"{text} {own}", own, array.shape)
    xs = {f"x{number}": case_input(text, fields, number) for number in range(len(fields["inputs"]))}
    result = network.run(xs, training=fields.get("training", False), draw=0)
    y = result.outputs["y"]
    grads = result.backward(upstream(text, y.shape))
    arrays = {"y": y, **{f"gradient of {name}": gradient for name, gradient in grads.inputs.items()}}
    for name, array in network.parameters().items():
        own = name.removeprefix("y.")
        if name in grads.params:
            arrays[f"gradient of {own}"] = grads.params[name]
        else:
            arrays[own] = array  # running statistics, after the step
    return arrays


def expected(figures: dict[str, Any]) -> dict[str, list[Any] | None]:
    """The recorded shape and figures of each result."""
    return {
        "y": figures["y"],
        **{f"gradient of x{number}": figure for number, figure in enumerate(figures["inputs"])},
        **{f"gradient of {name}": figure for name, figure in figures["params"].items()},
        **figures.get("after", {}),
    }


@pytest.mark.parametrize("dtype", LARGEST)
@pytest.mark.parametrize("recorded", RECORDED, ids=name_of)
def test_a_layer_is_pytorchs(recorded: list[Any], dtype: str) -> None:
    fields, figures = recorded
    arrays, wanted = results(fields, dtype), expected(figures)
    assert arrays.keys() == wanted.keys()
    largest = max(figure[1] for figure in wanted.values() if figure is not None)
    wrong = {}
    for name, figure in wanted.items():
        array = arrays[name]
        if figure is None or array is None:
            assert figure is array, name
            continue
        shape, *numbers = figure
        assert (array.shape, array.dtype) == (tuple(shape), np.dtype(dtype)), name
        error = difference(array, numbers, largest)
        if not error <= LARGEST[dtype]:
            wrong[name] = error
    assert wrong == {}


def test_every_kind_that_pytorch_has_is_recorded() -> None:
    assert len(RECORDED) >= 1000
    recorded = {fields["kind"] for fields, _ in RECORDED}
    assert {kind for kind, layer in LAYERS.items() if layer.also} <= recorded <= set(LAYERS)
