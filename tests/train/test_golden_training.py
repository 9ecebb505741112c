"""Losses, schedules, optimisers and whole trainings against PyTorch.

`tests/golden/make_training.py` recorded them, from the cases of `training_cases.py` beside it.
"""

import json
from typing import Any

import numpy as np
import pytest

from netcalc.backend import Network, TrainingStep
from netcalc.train.averaging import WeightAverage
from netcalc.train.gradients import GradientAccumulator, clip_norm, clip_value
from netcalc.train.losses import LOSSES, CrossEntropy
from netcalc.train.optimisers import OPTIMISERS
from netcalc.train.schedules import SCHEDULES

from helpers import TESTS
from seeded import difference
from training_cases import (
    CURVES,
    LOSS_CASES,
    SCHEDULE_CASES,
    TRAJECTORIES,
    LossCase,
    ScheduleCase,
    TrainingCase,
)

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "training.json").read_text())


def paired(cases: tuple[Any, ...], recorded: list[Any]) -> pytest.MarkDecorator:
    """Each case with what was recorded of it."""
    ids = [f"{number} {case[0]}" for number, case in enumerate(cases)]
    return pytest.mark.parametrize(("case", "recorded"), list(zip(cases, recorded, strict=True)), ids=ids)


@paired(LOSS_CASES, RECORDED["losses"])
def test_a_loss_is_pytorchs(case: LossCase, recorded: list[Any]) -> None:
    value, gradient = LOSSES[case.loss](**case.options)(case.outputs, case.targets)
    assert value == pytest.approx(recorded[0], rel=1e-12)
    assert difference(gradient, recorded[1]) < 1e-12
    single, gradient = LOSSES[case.loss](**case.options)(case.outputs.astype(np.float32), case.targets)
    assert single == pytest.approx(value, rel=1e-5)
    assert gradient.dtype == np.float32
    assert difference(gradient, recorded[1]) < 1e-5


@paired(SCHEDULE_CASES, RECORDED["schedules"])
def test_a_schedule_is_pytorchs(case: ScheduleCase, recorded: list[float]) -> None:
    schedule = SCHEDULES[case.schedule](case.epochs, case.steps_per_epoch, **case.options)
    assert [schedule(step) for step in range(case.steps)] == pytest.approx(recorded, rel=1e-11)


class Training:
    """A case's training by netcalc, from the recorded one's parameters and batches."""

    def __init__(self, case: TrainingCase, dtype: str) -> None:
        self.case = case
        self.network = Network(case.graph, dtype=dtype)
        for parameter in OPTIMISERS["sgd"](self.network).parameters:
            parameter.array[...] = case.parameter(parameter.name, parameter.array.shape)
        self.optimiser = OPTIMISERS[case.optimiser](self.network, factors=case.factors, **case.options)
        self.schedule = SCHEDULES[case.schedule](case.steps, **case.schedule_options)
        self.average = WeightAverage(self.network, decay=case.average) if case.average else None
        self.step = TrainingStep(self.network, case.sizes[0], workers=1 if case.network == "small" else 2)
        self.losses: list[float] = []

    def advance(self) -> None:
        """Take a step of the optimiser."""
        case, number = self.case, len(self.losses)
        accumulator, losses = GradientAccumulator(), []
        for part in range(case.accumulate):
            x, labels = case.batch(number * case.accumulate + part)
            y = self.step.forward(x)
            assert isinstance(y, np.ndarray)
            loss, dy = CrossEntropy()(y, labels)
            accumulator.add(self.step.backward(dy).params)
            losses.append(loss)
        gradients = accumulator.mean()
        if case.clip_norm is not None:
            clip_norm(gradients, case.clip_norm)
        if case.clip_value is not None:
            clip_value(gradients, case.clip_value)
        self.optimiser.step(gradients, self.schedule(number))
        if self.average is not None:
            self.average.update()
        self.losses.append(float(np.mean(losses)))


@paired(TRAJECTORIES, RECORDED["trajectories"])
def test_a_hundred_updates_are_pytorchs(case: TrainingCase, recorded: dict[str, Any]) -> None:
    training = Training(case, "float64")
    with training.step:
        for number in range(1, case.steps + 1):
            training.advance()
            if number in case.recorded_steps:
                arrays = [parameter.array for parameter in training.optimiser.parameters]
                pairs = zip(arrays, recorded["parameters"][str(number)], strict=True)
                assert max(difference(array, figures) for array, figures in pairs) < 1e-9
    found = [training.losses[number - 1] for number in case.recorded_steps]
    assert found == pytest.approx(recorded["losses"], rel=1e-9)
    if training.average is not None:
        pairs = zip(training.average.state().values(), recorded["averages"], strict=True)
        assert max(difference(array, figures) for array, figures in pairs) < 1e-9


@pytest.mark.parametrize(("dtype", "largest"), [("float64", 1e-9), ("float32", 1e-4)])
@paired(CURVES, RECORDED["curves"])
def test_the_loss_curve_of_a_whole_network_is_pytorchs(
    case: TrainingCase, recorded: dict[str, list[float]], dtype: str, largest: float
) -> None:
    training = Training(case, dtype)
    with training.step:
        for _ in range(case.steps):
            training.advance()
    assert training.losses == pytest.approx(recorded[dtype], rel=largest)
    assert training.losses[-1] < 0.7 * training.losses[0]
