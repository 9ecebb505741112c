"""Five places are enough to add a layer: its class, LAYERS, its kernel, KERNELS, and its cases in the laws."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from netcalc.backend.kernels import KERNELS
from netcalc.backend.kernels.base import Array, Mapped, unary
from netcalc.layers import LAYERS, arithmetic
from netcalc.layers.activation import Unary
from netcalc.layers.options import Number

from engines import some_plan_differences, some_step_differences, table_differences
from helpers import graph_of
from plain_runs import PlainRuns

SPEC = """
name: Cubes
input: [3, 8, 8]
layers:
  - conv: {filters: 4, kernel: 3}
  - cube: 0.5
  - flatten
  - linear: {units: 10}
  - cube
"""


class Cube(Unary):
    """y = factor x^3.

    Example: `cube: 2` on 8 gives 8
    """

    kind = "cube"
    family = "arithmetic"
    main = "factor"
    ops = 3

    factor = Number(1.0, doc="what the third power is multiplied by")


@unary
def cube(layer: Cube, x: Array) -> Mapped:
    """y = factor x^3;  dx = 3 factor x^2 dy."""
    return layer.factor * x**3, lambda dy: 3 * layer.factor * x**2 * dy


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """The class and the kernel above, listed; the cases are what the test runs."""
    monkeypatch.setattr(arithmetic, "Cube", Cube, raising=False)
    monkeypatch.setitem(LAYERS.places, "cube", "arithmetic.Cube")
    monkeypatch.setitem(KERNELS, "cube", cube)


@pytest.mark.usefixtures("added")
def test_every_command_and_both_engines_take_it(cli: Callable[..., Any], tmp_path: Path) -> None:
    spec = tmp_path / "cubes.yaml"
    spec.write_text(SPEC)
    more = {"explain": ["cube1"], "roofline": ["--device", "gtx580"]}
    for command in ("table", "check", "memory", "roofline", "explain", "run", "gradcheck", "plan", "show"):
        result = cli(command, str(spec), *more.get(command, []))
        assert (result.code, result.err) == (0, ""), command
    assert "third power" in cli("layers", "cube").out
    assert "layer.cube" in cli("schema").out
    runs = PlainRuns(graph_of(SPEC))
    assert [*table_differences(runs)] == []
    for number in range(4):
        assert [*some_plan_differences(runs, number), *some_step_differences(runs, number)] == []
