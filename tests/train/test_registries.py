"""Laws over all losses, optimisers and schedules: documentation, options, and what is no option."""

from typing import Any

import numpy as np
import pytest

from netcalc.layers.options import Flag, Maybe, Number, Option
from netcalc.train.averaging import WeightAverage
from netcalc.train.configurable import Configurable, Fraction, Numbers, OptionError
from netcalc.train.losses import LOSSES
from netcalc.train.optimisers import OPTIMISERS
from netcalc.train.schedules import SCHEDULES

REGISTRIES: tuple[dict[str, type[Any]], ...] = (LOSSES, OPTIMISERS, SCHEDULES)
ALL: list[type[Configurable]] = [*(one for each in REGISTRIES for one in each.values()), WeightAverage]
OPTIONS = [(one, option) for one in ALL for option in one.options.values()]
DISTINCT = [pytest.param(option, id=f"{one.name} {option.name}") for one, option in OPTIONS]
NEEDED = {"step": {"every": 3}}
"""What some cannot do without."""

every_one = pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
every_option = pytest.mark.parametrize(
    ("one", "option"), OPTIONS, ids=[f"{one.name} {option.name}" for one, option in OPTIONS]
)


def test_each_is_listed_by_its_name() -> None:
    for registry in REGISTRIES:
        assert all(one.name == name for name, one in registry.items())
    assert len({one.name for one in ALL}) == len(ALL)


@every_one
def test_each_states_its_formula(one: type[Configurable]) -> None:
    assert one.__doc__
    assert "=" in one.__doc__ or "mean of" in one.__doc__ or "From" in one.__doc__


@pytest.mark.parametrize("option", DISTINCT)
def test_each_option_says_what_it_does(option: Option[Any]) -> None:
    inner = option.inner if isinstance(option, Maybe) else option
    assert inner.doc
    assert inner.words != Option.words
    assert option.schema()


@pytest.mark.parametrize("option", DISTINCT)
def test_the_default_is_a_value(option: Option[Any]) -> None:
    assert option.parse(option.default) == option.default


@every_option
@pytest.mark.parametrize("bad", ["much", [], [1, "two"], float("nan"), float("inf"), 10**400, -1e300])
def test_a_value_out_of_range_is_refused_by_its_name(
    one: type[Configurable], option: Option[Any], bad: object
) -> None:
    with pytest.raises(OptionError, match=rf"^{one.name}: {option.name} ") as caught:
        one.parsed({**NEEDED.get(one.name, {}), option.name: bad})
    assert caught.value.option == option.name


@every_one
def test_an_unknown_option_is_refused_with_the_nearest(one: type[Configurable]) -> None:
    for name in one.options:
        with pytest.raises(OptionError, match=f"{one.name} has no option '{name}x'") as caught:
            one.parsed({f"{name}x": 1})
        assert caught.value.help == f"did you mean {name}?"


def test_a_name_like_no_other_gets_all_options() -> None:
    with pytest.raises(OptionError, match="huber has no option 'qqqqqqq'") as caught:
        LOSSES["huber"](qqqqqqq=1)
    assert caught.value.help == "its options are delta"


def test_numbers_of_numpy_are_numbers() -> None:
    assert LOSSES["huber"](delta=np.float32(0.5)).settings() == {"delta": 0.5}
    assert LOSSES["cross_entropy"](weights=np.array([1, 2])).settings() == {"weights": (1.0, 2.0)}
    assert repr(LOSSES["huber"](delta=2)) == "Huber(delta=2.0)"


def test_a_fixed_option_is_none() -> None:
    assert "decoupled" in OPTIMISERS["adam"].options
    assert "decoupled" not in OPTIMISERS["adamw"].options
    assert "warmup" not in SCHEDULES["one_cycle"].options


def test_a_required_option_is_asked_for() -> None:
    class Needing(Configurable):
        """One with an option that has no default."""

        name = "needing"
        rate = Number(doc="how much")

    with pytest.raises(OptionError, match="needing needs rate"):
        Needing()


@pytest.mark.parametrize(
    ("option", "bad", "message"),
    [
        (Fraction(0.5, doc="a part"), 1, "is a number from 0 to below 1, not 1"),
        (Fraction(0.5, doc="a part"), -0.1, "is a number from 0 to below 1"),
        (Numbers(doc="weights"), [-1], "is a list of numbers from 0 up"),
        (Numbers(doc="weights"), [True], "is a list of numbers from 0 up"),
        (Numbers(doc="weights"), 3, "is a list of numbers from 0 up, not 3"),
        (Flag(False, doc="whether"), 1, "is true or false"),
    ],
)
def test_each_kind_of_option_has_its_range(option: Option[Any], bad: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        option.parse(bad)
