"""What `import netcalc` gives: documented names, runnable examples, arguments with types."""

import doctest
import inspect
import typing
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

import netcalc
from netcalc.analysis import CONVENTIONS
from netcalc.analysis.devices import STORED_AS, read_devices
from netcalc.analysis.losses import LOSSES
from netcalc.analysis.precision import OPTIMISERS
from netcalc.tensor import DTYPES

from helpers import TESTS

PAGE = (TESTS.parent / "docs" / "python.md").read_text()
FUNCTIONS = ("analyze", "check", "compare", "explain", "load", "memory", "roofline", "sweep")
MODULES = ["netcalc", *(f"netcalc.api.{name}" for name in FUNCTIONS), "netcalc.render.table.display"]


def test_every_exported_name_is_documented() -> None:
    for name in netcalc.__all__:
        value = getattr(netcalc, name)
        assert f"`{name}" in PAGE, name
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name


def test_dir_has_the_public_names_alone() -> None:
    netcalc.load("lenet5")  # which imports submodules
    shown = [name for name in dir(netcalc) if not name.startswith("__")]
    assert shown == sorted(netcalc.__all__)
    assert "__version__" in dir(netcalc)


def test_a_name_that_is_not_exported() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        netcalc.lode  # noqa: B018


@pytest.mark.parametrize("module", MODULES)
def test_docstring_examples(module: str) -> None:
    result = doctest.testmod(import_module(module), extraglobs={"netcalc": netcalc})
    assert result.attempted > 0
    assert result.failed == 0


def test_every_choice_stands_in_its_type() -> None:
    assert get_args(netcalc.DTypeName) == tuple(DTYPES)
    assert get_args(netcalc.ConventionName) == tuple(CONVENTIONS)
    assert get_args(netcalc.DeviceName) == tuple(read_devices())
    assert set(get_args(netcalc.PeakName)) == set(STORED_AS)
    assert get_args(netcalc.OptimiserName) == tuple(OPTIMISERS)
    assert get_args(netcalc.LossName) == LOSSES


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_has_a_type(name: str) -> None:
    function = getattr(netcalc, name)
    hints = typing.get_type_hints(function)
    assert {*inspect.signature(function).parameters, "return"} == hints.keys()
    assert Any not in hints.values()
    if name != "load":
        assert issubclass(hints["return"], netcalc.Result)
    for argument in ("input", "variant", "args"):
        assert inspect.signature(function).parameters[argument].kind is inspect.Parameter.KEYWORD_ONLY


WRONG: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("analyze", ("lenet5",), {"batch": 0}, "batch is a whole number from 1 to 2147483647, not 0"),
    ("analyze", ("lenet5",), {"batch": 2.5}, "batch is a whole number"),
    ("analyze", ("lenet5",), {"dtype": "float8"}, "dtype is one of float64, float32"),
    ("analyze", ("lenet5",), {"convention": "gut"}, "convention is one of lecture, macs, flops, not 'gut'"),
    ("check", (), {}, "a check needs a spec or more"),
    ("check", ("lenet5",), {"ignore": "N50"}, "there is no rule 'N50'; did you mean"),
    ("check", ("lenet5",), {"batch": -1}, "batch is a whole number"),
    ("compare", ("lenet5",), {}, "a comparison needs two specs or more, here is one"),
    ("compare", ("lenet5", "lenet5", "lenet5"), {"diff": True}, "a difference lies between two specs, here are 3"),
    ("compare", ("lenet5", "lenet5"), {"dtype": "f"}, "dtype is one of"),
    ("explain", ("lenet5", "conv9"), {}, "LeNet-5 has no layer 'conv9'; did you mean conv2"),
    ("explain", ("lenet5", None), {}, "LeNet-5 has no layer None"),
    ("memory", ("lenet5",), {"batch": True}, "batch is a whole number"),
    ("memory", ("lenet5",), {"dtype": "tf32"}, "dtype is one of"),
    ("memory", ("lenet5",), {"optimiser": "lion"}, "optimiser is one of sgd, momentum, adam, adamw"),
    ("memory", ("lenet5",), {"loss": "l1"}, "loss is one of auto, cross_entropy"),
    ("memory", ("lenet5",), {"checkpoint": 0}, "checkpoint is a whole number from 1 to 999999, not 0"),
    ("memory", ("lenet5",), {"fit": "24 gigs"}, "'24 gigs' is no size; write it as 24GiB"),
    ("memory", ("lenet5",), {"fit": -1}, "fit is a size from 0 up to .*, not -1"),
    ("memory", ("lenet5",), {"dtype": "int8", "fit": 1}, "networks are not trained in int8"),
    ("memory", ("lenet5",), {"dtype": "int8", "optimiser": "adam"}, "networks are not trained in int8"),
    ("memory", ("lenet5",), {"mixed": False}, "float32 have no float32 copies"),
    ("roofline", ("lenet5", "a10x"), {}, "there is no device 'a10x'; did you mean a10"),
    ("roofline", ("lenet5", 3), {}, "there is no device 3"),
    ("roofline", ("lenet5", "gtx580"), {"dtype": "int8"}, "no peak is known of .* in int8; there are"),
    ("roofline", ("lenet5", "a100"), {"fusion": "all"}, "fusion is one of none, elementwise, not 'all'"),
    ("roofline", ("lenet5", "a100"), {"images": -1}, "images is a whole number from 0 to .*, not -1"),
    ("roofline", ("lenet5", "a100"), {"epochs": 0}, "epochs is a whole number from 1 to .*, not 0"),
    ("roofline", ("lenet5", "t4"), {"dtype": "int8", "images": 1}, "no training is counted in int8"),
    ("sweep", ("lenet5", {}), {}, "say what varies"),
    ("sweep", ("lenet5", {"input": []}), {}, "say what varies"),
    ("sweep", ("lenet5", {"input": [0]}), {}, "sizes are whole numbers from 1 up, not 0"),
    ("sweep", ("lenet5", {"input": [28]}), {"jobs": 0}, "jobs is a whole number from 1 to 1024, not 0"),
    ("sweep", ("lenet5", {"input": [28]}), {"sample": 0}, "sample is a whole number from 1 up, not 0"),
    ("sweep", ("lenet5", {"input": [28]}), {"dtype": "x"}, "dtype is one of"),
    ("sweep", ("lenet5", {"input": [28]}), {"convention": "x"}, "convention is one of"),
    ("sweep", ("lenet5", {"input": [28]}), {"pareto": "speed"}, "no column of numbers 'speed'"),
    ("sweep", ("mobilenet_v2", {"width": [1]}), {"args": {"width": 2}}, "width varies; leave it out of args"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "options", "words"), WRONG)
def test_a_wrong_argument_is_a_value_error_that_says_what_there_is(
    name: str, given: tuple[Any, ...], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        getattr(netcalc, name)(*given, **options)


NO_TYPE: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("check", (None,), {}, "a spec is a path, .* not NoneType"),
    ("check", ("lenet5",), {"ignore": [3]}, "a name of ignore is a string, not int"),
    ("compare", (3, "lenet5"), {}, "a spec is a path, .* not int"),
    ("memory", ("lenet5",), {"fit": 2.5}, "fit is a size as 24GiB, or a whole number of bytes, not 2.5"),
    ("sweep", ("lenet5", {"input": [28]}), {"where": 3}, "where is a string, not int"),
    ("sweep", ("lenet5", {3: [28]}), {}, "the name of what varies is a string, not int"),
    (
        "sweep",
        ("mobilenet_v2", {"width": [{}]}),
        {},
        "the argument width is a number, a word or a list, not dict",
    ),
]


@pytest.mark.parametrize(("name", "given", "options", "words"), NO_TYPE)
def test_a_value_of_another_type_is_a_type_error(
    name: str, given: tuple[Any, ...], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        getattr(netcalc, name)(*given, **options)


def test_every_function_has_a_wrong_argument() -> None:
    assert {name for name, *_ in WRONG} == {*FUNCTIONS} - {"load"}


def test_a_users_program_has_the_types_that_it_states() -> None:
    """It is checked by mypy in CI; here it runs."""
    path = Path(__file__).parent / "users_program.py"
    exec(compile(path.read_text(), str(path), "exec"), {"__name__": "__main__"})
