"""What steps of small networks need, against PyTorch as tests/golden/make_steps.py records it."""

import json
from typing import Any

import pytest

from netcalc.analysis.memory import inference, training

from helpers import TESTS, graph_of

CASES: list[list[Any]] = json.loads((TESTS / "golden" / "steps.json").read_text())["networks"]


@pytest.fixture(params=CASES, ids=[f"{number}" for number in range(len(CASES))])
def case(request: pytest.FixtureRequest) -> list[Any]:
    """Spec, batch, step and inference."""
    return list(request.param)


def test_a_step_takes_what_pytorchs_takes(case: list[Any]) -> None:
    """But for the loss, one number, which has its gradient beside it; inputs and targets were there before."""
    spec, batch, measured, _ = case
    found = training(graph_of(spec), loss="cross_entropy")
    given = sum(each.type.numel * 4 for each in graph_of(spec).inputs) * batch
    given += sum(loss.target.at(batch) for loss in found.losses)
    step = max(step.parts.total.at(batch) for step in found.timeline if step.phase != "update") - given
    assert step == pytest.approx(measured, abs=8)


def test_inference_takes_what_pytorchs_takes(case: list[Any]) -> None:
    spec, batch, _, measured = case
    found = inference(graph_of(spec))
    assert found.peak(batch) - found.weights == measured
