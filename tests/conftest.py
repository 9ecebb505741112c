"""What the tests share: the command line as a function, and specs from text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from netcalc.analysis import Report, analyze
from netcalc.cli import run
from netcalc.diagnostics import Source
from netcalc.graph import Graph, elaborate
from netcalc.spec import InputOverride, Setting, read_spec

TESTS = Path(__file__).parent


class Result(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command line: `cli("table", "alexnet")`; 100 columns, no colours."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: str) -> Result:
        code = run(list(arguments))
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


def graph_of(text: str, input: tuple[int, ...] | None = None, **args: Any) -> Graph:
    """The graph of a spec's text."""
    settings = [Setting(name, value) for name, value in args.items()]
    overrides = [InputOverride(None, input)] if input else []
    return elaborate(read_spec(Source("test.yaml", text)), settings, overrides)


def report_of(text: str, **options: Any) -> Report:
    """The report of a spec's text."""
    return analyze(graph_of(text), **options)


def layer_report(input: tuple[int, ...], *items: str) -> Report:
    """The report of a few items, written as they stand in a spec, on one input."""
    lines = "\n".join(f"  - {item}" for item in items)
    return report_of(f"input: {list(input)}\nlayers:\n{lines}\n")
