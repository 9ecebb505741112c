"""Parameters and multiply-adds against PyTorch: the same names, shapes and counts on every recorded module.

`tests/golden/make_parameters.py` recorded the cases; a batch norm's counter of batches is not among them.
"""

import json
from typing import Any

import pytest

from netcalc.layers import LAYERS

from cases import Case, frozen
from helpers import TESTS

RECORDED: list[list[Any]] = json.loads((TESTS / "golden" / "parameters.json").read_text())["cases"]


def case_of(recorded: list[Any]) -> Case:
    kind, options, inputs, output = recorded[:4]
    return Case(
        kind, {name: frozen(value) for name, value in options.items()}, frozen(inputs), frozen(output)
    )


every_recorded = pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: str(case_of(recorded)))


@every_recorded
def test_same_names_and_shapes(recorded: list[Any]) -> None:
    case, parameters, buffers = case_of(recorded), recorded[5], recorded[6]
    params = case.layer.params(case.types)
    assert {p.name: list(p.shape) for p in params if p.trainable} == parameters
    assert {p.name: list(p.shape) for p in params if not p.trainable} == buffers
    assert len(params) == len(parameters) + len(buffers)


@every_recorded
def test_same_output_and_macs(recorded: list[Any]) -> None:
    case, macs = case_of(recorded), recorded[4]
    y = case.layer.infer(case.types)
    assert y.shape == case.output
    assert case.layer.cost(case.types, y).macs == macs


def test_every_kind_with_parameters_is_recorded() -> None:
    assert len(RECORDED) >= 60
    recorded = {kind for kind, *_ in RECORDED}
    own = {
        kind for kind, layer in LAYERS.items() if "params" in {m for c in layer.__mro__[:-2] for m in vars(c)}
    }
    assert own - recorded == {"parameter"}  # a bare tensor, no module
