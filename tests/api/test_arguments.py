"""A value of an argument means the same wherever it is given: in a spec, in `args` and in a sweep."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import netcalc

SPEC: dict[str, Any] = {
    "input": [3, 16, 16],
    "args": {"n": 8, "w": "word", "e": "$(n * 2)", "b": False, "sizes": [1], "idle": 1},
    "layers": [
        {"conv": {"filters": "$n", "kernel": 1}},
        {"conv": {"filters": "$(e + sum(sizes))", "kernel": 1, "bias": "$b"}},
        {"relu": {"when": "$(w == 'word')"}},
    ],
}
VALUES: list[tuple[str, Any]] = [
    ("e", "$(n*4)"),
    ("e", "$n"),
    ("e", "$("),
    ("e", "$(m)"),
    ("e", "word"),
    ("sizes", [1, "$n"]),
    ("sizes", range(3)),
    ("sizes", ()),
    ("w", "\\"),
    ("w", ["C:\\", 'a"', "b,c"]),
    ("w", "\x7f\x80\x85\u2028\ufeff\ufffe"),
    ("w", "\ud800"),
    ("w", "${n}"),
    ("w", ""),
    ("w", "null"),
    ("w", None),
    ("n", np.int64(4)),
    ("n", np.array(4)[()]),
    ("n", np.float32(4)),
    ("n", Fraction(4, 1)),
    ("n", 4.5),
    ("n", float("nan")),
    ("n", 10**4000),
    ("n", 2**53),
    ("n", True),
    ("b", np.bool_(True)),
    ("idle", 2),
    ("idle", 1),
    ("no_argument", 1),
    ("n", {"a": 1}),
    ("n", [[{"a": 1}]]),
    ("n", {1}),
    ("n", b"4"),
    ("n", np.array([4])),
    ("n", object()),
]


def outcome(counted: Any) -> tuple[Any, ...]:
    """The parameters, or the type of what is raised, its code and its message."""
    try:
        return ("params", counted())
    except netcalc.NetcalcError as error:
        first = error.diagnostics[0]
        return ("error", first.code, first.message)
    except (TypeError, ValueError) as error:
        return (type(error).__name__, str(error))


def in_a_row(varied: dict[str, Any], args: dict[str, Any]) -> Any:
    (row,) = netcalc.sweep(SPEC, varied, args=args).rows
    if row["error"] is None:
        return row["params"]
    code, _, words = str(row["error"]).partition(": ")
    raise netcalc.GraphError([netcalc.Diagnostic(code, words)])


@pytest.mark.parametrize(("name", "value"), VALUES, ids=[f"{name}-{i}" for i, (name, _) in enumerate(VALUES)])
def test_a_value_means_the_same_everywhere(name: str, value: Any) -> None:
    found = outcome(lambda: netcalc.analyze(SPEC, args={name: value}).totals.params)
    fixed = outcome(lambda: in_a_row({"input": [16]}, {name: value}))
    varied = outcome(lambda: in_a_row({name: [value]}, {}))
    assert fixed[:2] == found[:2]
    if name != "no_argument":
        assert varied[:2] == found[:2]
    if found[0] == "error":
        assert found[2] in fixed[2]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("e", "$(n*4)", "e=$(n*4)"),
        ("n", np.int64(4), "n=4"),
        ("sizes", [1, "$n"], "sizes=[1, $n]"),
        ("w", "\\", "w='\\'"),
    ],
)
def test_a_value_means_what_the_command_makes_of_it(
    cli: Any, tmp_path: Any, name: str, value: Any, text: str
) -> None:
    import yaml

    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(SPEC, sort_keys=False))
    assert (
        netcalc.analyze(SPEC, args={name: value}).to_csv()
        == cli("table", str(path), "--set", text, "-f", "csv").out
    )
    assert netcalc.sweep(SPEC, {name: [value]}).to_dict()["rows"][0]["params"] is not None


@pytest.mark.parametrize("args", ["", 0, False, [], 1, ["a"], "width"])
def test_args_is_a_mapping(args: Any) -> None:
    for call in (lambda: netcalc.load(SPEC, args=args), lambda: netcalc.sweep(SPEC, {"n": [1]}, args=args)):
        with pytest.raises(TypeError, match="args is a mapping of the spec's arguments"):
            call()


def test_a_list_within_itself() -> None:
    inside: list[Any] = []
    inside.append(inside)
    for call in (
        lambda: netcalc.load(SPEC, args={"n": inside}),
        lambda: netcalc.sweep(SPEC, {"n": [inside]}),
    ):
        with pytest.raises(netcalc.SpecError, match="E109.*n.*nest"):
            call()


def test_sweeps_of_other_fixed_arguments_are_told_apart() -> None:
    sweeps = [netcalc.sweep(SPEC, {"n": [1]}, args=args).sweep.digest for args in (None, {"e": 1}, {"e": 2})]
    assert len({*sweeps}) == 3
