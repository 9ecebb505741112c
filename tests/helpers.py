"""Specs from text, for tests in every folder."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from netcalc.analysis import Report, Row, analyze
from netcalc.diagnostics import Source, Span
from netcalc.graph import Graph, Input, Node, elaborate
from netcalc.layers import Layer
from netcalc.layers.embedding import Parameter
from netcalc.render.table.lines import TableView
from netcalc.render.table.text import table_lines
from netcalc.spec import InputOverride, Setting, read_spec
from netcalc.tensor import TensorType

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


def behind_parameters(layer: Layer, types: tuple[TensorType, ...]) -> Graph:
    """A layer y after learned tensors that are added to its inputs, and keep nothing; words it reads itself."""
    span, y = Span(Source("case", ""), 0, 0), layer.infer(types)
    given = tuple(Input(f"x{number}", type) for number, type in enumerate(types))
    nodes = []
    for number, type in enumerate(() if layer.kind == "embedding" else types):
        learned = Parameter(shape=type.shape)
        nodes.append(Node(f"p{number}", (), learned, (f"x{number}",), type, learned.params((type,)), span))
    read = tuple(node.full_name for node in nodes) or tuple(each.name for each in given)
    own = Node("y", (), layer, read, y, layer.params(types), span)
    return Graph("case", given, (*nodes, own), ("y",))


def printed_table(report: Report, width: int | None = None, **view: Any) -> str:
    """The table of a report as a terminal shows it."""
    shown = table_lines(report, TableView(**view), width=width)
    return "\n".join("".join(text for text, _ in segments).rstrip() for segments in shown)


def threads_beside(others: list[threading.Thread]) -> list[threading.Thread]:
    """The threads that run beside others, of which some may end of themselves meanwhile."""
    return [thread for thread in threading.enumerate() if thread not in others]


def wait_until(holds: Callable[[], bool]) -> None:
    """A thread that was told to end takes a moment."""
    for _ in range(500):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came")


METRICS = """\
{"step": {"step": 1, "epoch": 0, "loss": 2.4, "accuracy": 0.1, "rate": 0.1, "gradient_norm": 1.5, "samples": 8}}
{"step": {"step": 2, "epoch": 0, "loss": 1.2, "accuracy": 0.5, "rate": 0.1, "gradient_norm": 1.2, "samples": 8}}
{"epoch": {"epoch": 0, "step": 2, "loss": 1.8, "accuracy": 0.3, "validation_loss": 1.4, "validation_accuracy": 0.4, "rate": 0.1}}
{"step": {"step": 3, "epoch": 1, "loss": 0.9, "accuracy": 0.6, "rate": 0.1, "gradient_norm": 1.1, "samples": 8}}
{"warning": {"step": 3, "message": "units of conv1 are dead: 5 of 6 give 0 for all of 8 samples", "layer": "conv1", "help": "lower the learning rate"}}
{"step": {"step": 4, "epoch": 1, "loss": 0.7, "accuracy": 0.7, "rate": 0.1, "gradient_norm": 1.0, "samples": 8}}
{"epoch": {"epoch": 1, "step": 4, "loss": 0.8, "accuracy": 0.65, "validation_loss": 1.1, "validation_accuracy": 0.6, "rate": 0.1}}
"""
"""What a training of two epochs writes."""
