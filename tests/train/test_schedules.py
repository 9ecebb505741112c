"""Schedules beyond what is recorded of PyTorch's: their ends, and what does not fit."""

from typing import Any

import pytest

from netcalc.train.configurable import OptionError
from netcalc.train.schedules import SCHEDULES, Constant, Cosine, OneCycle, StepDecay

from training_cases import SCHEDULE_CASES

OPTIONS: dict[str, dict[str, Any]] = {"step": {"every": 3}}

every_schedule = pytest.mark.parametrize("name", SCHEDULES)


def test_every_option_is_recorded() -> None:
    for name, schedule in SCHEDULES.items():
        used = {option for case in SCHEDULE_CASES if case.schedule == name for option in case.options}
        assert used | {"warmup_start"} == schedule.options.keys() | {"warmup_start"}


@every_schedule
@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 10, 0.4])
def test_every_step_has_a_factor_from_0_to_1(name: str, epochs: float) -> None:
    schedule = SCHEDULES[name](epochs, 10, **OPTIONS.get(name, {}))
    assert all(0 <= schedule(step) <= 1 for step in range(2 * schedule.steps))


@every_schedule
def test_one_step_is_enough(name: str) -> None:
    assert 0 <= SCHEDULES[name](1, **OPTIONS.get(name, {}))(0) <= 1


@every_schedule
def test_the_factor_stays_after_the_end(name: str) -> None:
    schedule = SCHEDULES[name](9, 2, **OPTIONS.get(name, {}))
    assert schedule(18) == schedule(19) == schedule(1000)


def test_the_ends() -> None:
    cosine = Cosine(10, final=0.25, warmup=2, warmup_start=0.5)
    assert [cosine(step) for step in (0, 1, 2, 6, 10)] == pytest.approx([0.5, 0.75, 1, 0.625, 0.25])
    cycle = OneCycle(20, rise=0.5, start=0.1, final=0.01)
    assert [cycle(step) for step in (0, 9, 19)] == pytest.approx([0.1, 1, 0.01])
    assert OneCycle(10, rise=0.1)(0) == 1  # a rise that ends at the first step


def test_epochs_are_so_many_steps() -> None:
    drops = StepDecay(9, 100, at=[6, 3])
    assert [drops(step) for step in (0, 299, 300, 599, 600, 899)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01]
    )
    assert StepDecay(9, 100, every=4.5)(450) == pytest.approx(0.1)
    assert Constant(2, 10, warmup=0.5, warmup_start=0.2)(4) == pytest.approx(0.84)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cosine", {"warmup": 10}, "cosine: warmup=10 leaves nothing of 10 epochs"),
        ("constant", {"warmup_start": 0.1}, "constant: warmup_start is about a warm-up, and there is none"),
        ("step", {}, "step takes one of every and at, and has none"),
        ("step", {"every": 1, "at": [2]}, "step takes one of every and at, and has both"),
        ("one_cycle", {"warmup": 1}, "one_cycle has no option 'warmup'"),
    ],
)
def test_options_that_do_not_fit_are_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        SCHEDULES[name](10, **options)


@pytest.mark.parametrize(
    ("epochs", "steps"), [(0, 1), (float("nan"), 1), (-2, 5), (3, 0), (True, 1), ("3", 1)]
)
def test_there_are_epochs_and_steps(epochs: Any, steps: int) -> None:
    with pytest.raises(ValueError, match="is a number above 0, not"):
        Constant(epochs, steps)


def test_steps_count_from_0() -> None:
    with pytest.raises(ValueError, match="counted from 0, not -1"):
        Constant(3)(-1)
