"""Whatever an argument is, a function takes it, or says in words that name the argument what is wrong."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcalc

FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "load": (netcalc.load, ("lenet5",)),
    "analyze": (netcalc.analyze, ("lenet5",)),
    "check": (netcalc.check, ("lenet5",)),
    "compare": (netcalc.compare, ("lenet5", "lenet5")),
    "explain": (netcalc.explain, ("lenet5", "conv1")),
    "memory": (netcalc.memory, ("lenet5",)),
    "roofline": (netcalc.roofline, ("lenet5", "a100")),
    "sweep": (netcalc.sweep, ("lenet5", {"input": [28]})),
    "shown": (netcalc.analyze("lenet5").shown, ()),
    "read_devices": (netcalc.read_devices, ()),
}
HOSTILE: dict[str, Any] = {
    "none": None, "true": True, "numpy-true": np.True_, "zero": 0, "minus": -1, "float": 1.5, "nan": float("nan"),
    "huge": 10**400, "numpy": np.int64(2), "array": np.array([1, 2]), "scalar-array": np.array(3),
    "empty": "", "word": "x", "dash": "-", "nul": "a\0b", "surrogate": "\ud800", "bytes": b"x", "list": [],
    "words": ["x"], "numbers": [1], "lists": [[1]], "range": range(3), "mapping": {}, "a-mapping": {"a": 1},
    "keys": {1: 1}, "set": {1, 2}, "class": int, "object": object(), "path": Path("x"), "graph": netcalc.load("lenet5"),
    "complex": 1j,
}  # fmt: skip
SAME_WORDS = {
    "input": "input|size", "spec": "spec", "model": "spec", "models": "spec", "varied": "varies",
    "dtype": "dtype|peak", "ignore": "ignore|rule", "pareto": "pareto|column", "columns": "column", "only": "only|kind",
}  # fmt: skip


def arguments() -> list[tuple[str, str]]:
    return [
        (name, argument)
        for name, (function, _) in FUNCTIONS.items()
        for argument in inspect.signature(function).parameters
    ]


@pytest.mark.parametrize(("name", "argument"), arguments())
def test_a_hostile_value(name: str, argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    function, given = FUNCTIONS[name]
    parameters = [*inspect.signature(function).parameters.values()]
    place = [parameter.name for parameter in parameters].index(argument)
    for value in HOSTILE.values():
        options = {} if name != "sweep" or argument != "seed" else {"sample": 1}
        try:
            if parameters[place].kind is inspect.Parameter.KEYWORD_ONLY or place >= len(given):
                found = function(*given, **{argument: value}, **options)
            else:
                found = function(*given[:place], value, *given[place + 1 :], **options)
            str(found)
        except (TypeError, ValueError) as error:
            words = SAME_WORDS.get(argument, argument)
            assert any(word in str(error) for word in words.split("|")), (value, error)
            assert len(str(error)) < 2000
        except netcalc.NetcalcError:
            assert argument in (
                "spec",
                "model",
                "models",
                "args",
                "input",
                "variant",
                "varied",
                "where",
                "path",
            )


FLAGS = [
    (name, argument.name)
    for name, (function, _) in FUNCTIONS.items()
    for argument in inspect.signature(function).parameters.values()
    if argument.default in (True, False) and type(argument.default) is bool
]


@pytest.mark.parametrize(("name", "argument"), FLAGS)
def test_a_flag_is_a_bool(name: str, argument: str) -> None:
    function, given = FUNCTIONS[name]
    for value in ("no", 1, 0, None, [], float("nan")):
        with pytest.raises(TypeError, match=f"{argument} is True or False, not"):
            function(*given, **{argument: value})
    assert (
        str(function(*given, **{argument: np.False_})) == str(function(*given, **{argument: False}))
        if argument != "mixed"
        else True
    )


NUMBERS = [
    (name, argument)
    for name, (function, _) in FUNCTIONS.items()
    for argument in inspect.signature(function).parameters
    if argument in ("batch", "depth", "sample", "jobs", "images", "epochs", "seed")
]


@pytest.mark.parametrize(("name", "argument"), NUMBERS)
def test_a_number_of_numpy_is_one_of_python(name: str, argument: str) -> None:
    function, given = FUNCTIONS[name]
    more = {"epochs": {"images": 1}, "seed": {"sample": 1}}.get(argument, {})
    value = 1 if argument == "jobs" else 2
    assert function(*given, **{argument: np.int64(value)}, **more) == function(
        *given, **{argument: value}, **more
    )


LIMITS = [("batch", 2**31), ("images", 10**15 + 1), ("epochs", 10**9 + 1), ("jobs", 1025), ("batch", 10**400)]


@pytest.mark.parametrize(("argument", "value"), LIMITS)
def test_a_number_has_the_limits_of_the_command(argument: str, value: int) -> None:
    for name, (function, given) in FUNCTIONS.items():
        if argument in inspect.signature(function).parameters:
            with pytest.raises(ValueError, match=f"{argument} is a whole number from . to"):
                function(*given, **{argument: value}), name


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("roofline", {"epochs": 5}, "epochs says how often images are seen; give images too"),
        ("sweep", {"seed": 3}, "seed says which sample is drawn; give sample too"),
        ("shown", {"bars": True, "tree": True}, "bars draws charts in place of a table; leave tree out"),
        ("shown", {"bars": True, "percent": True}, "leave percent out"),
        ("shown", {"bars": True, "columns": ["layer"]}, "leave columns out"),
    ],
)
def test_an_option_that_does_nothing_is_refused(name: str, options: dict[str, Any], words: str) -> None:
    function, given = FUNCTIONS[name]
    with pytest.raises(ValueError, match=words):
        function(*given, **options)


A100 = netcalc.read_devices()["a100"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bytes_per_second": 0}, "bytes_per_second of a device is a number above 0, not 0"),
        ({"bytes_per_second": float("nan")}, "bytes_per_second of a device is a number above 0, not nan"),
        ({"memory_bytes": -1}, "memory_bytes of a device is a number above 0, not -1"),
        (
            {"operations_per_second": {"float32": 0}},
            "operations_per_second.'float32'. of a device is a number",
        ),
        ({"operations_per_second": {}}, "a device has a peak of .*, and this one has none"),
        ({"operations_per_second": {"float99": 1.0}}, "a device has a peak of .*, not of 'float99'"),
    ],
)
def test_a_device_that_no_device_is(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        netcalc.roofline("lenet5", A100._replace(**changes))


@pytest.mark.parametrize("given", ["lenet5", None, {}, A100])
def test_networks_and_engines_are_made_of_what_they_say(given: Any) -> None:
    with pytest.raises(TypeError, match="a Network takes a Graph, as netcalc.load gives it, not "):
        netcalc.Network(given)
    for engine in (netcalc.InferencePlan, netcalc.TrainingStep):
        with pytest.raises(TypeError, match=f"{engine.__name__} takes a Network, not "):
            engine(given, 1)


@pytest.mark.parametrize("given", [None, "2", 1.5, True])
def test_batches_and_seeds_of_networks_are_whole_numbers(given: Any) -> None:
    graph = netcalc.load("lenet5")
    with pytest.raises(ValueError, match="seed is a whole number from 0 up, not "):
        netcalc.Network(graph, seed=given)
    for engine in (netcalc.InferencePlan, netcalc.TrainingStep):
        with pytest.raises(ValueError, match="batch is a whole number, not "):
            engine(netcalc.Network(graph), given)


def test_control_characters_are_escaped_in_places_and_names() -> None:
    with pytest.raises(netcalc.NetcalcError) as caught:
        netcalc.load({"input": [3], "layers": [{"relu": {"x\x1b[31m\n": 1}}]})
    assert r"layers[0].relu.x\x1b[31m\n:" in str(caught.value)
    graph = netcalc.load({"name": "x\x1b", "input": [3], "layers": ["relu"]})
    assert "\x1b" not in netcalc.Graph.__repr__(graph)
