"""Specs from text, for tests in every folder."""

from pathlib import Path
from typing import Any

from netcalc.analysis import Report, Row, analyze
from netcalc.diagnostics import Source
from netcalc.graph import Graph, elaborate
from netcalc.spec import InputOverride, Setting, read_spec

TESTS = Path(__file__).parent


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


def only_row(input: tuple[int, ...], item: str) -> Row:
    """The row of one item on one input."""
    return layer_report(input, item).rows[-1]
