"""Networks side by side: each measure of all of them with bars, as the lecture draws AlexNet and VGG-16."""

import json
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from netcalc.analysis import Report
from netcalc.analysis.comparison import Comparison, Measure, Member
from netcalc.render.layout import Heading, Layout, Segment
from netcalc.render.lines import View
from netcalc.render.markdown import escaped, table_row
from netcalc.render.numbers import exact, ratio, with_unit
from netcalc.render.table import byte_units, conditions_in_words, draw_bar
from netcalc.tensor import format_shape

_MOST_LABEL = 40
_COLOURS = {"bytes": "blue", "params": "magenta"}
_GREEN = "green"


def comparison_lines(comparison: Comparison, width: int | None) -> Iterator[list[Segment]]:
    """The networks, then a group of bars for each measure, then what was counted how."""
    labels = [member.label for member in comparison.members]
    label = label_width(comparison)
    for member in comparison.members:
        yield network_line(member.label, member.report, label)
    measures = comparison.measures
    shown = [
        [_shown(comparison, measure, value) for value in comparison.values(measure)] for measure in measures
    ]
    times = [ratios(comparison, measure) for measure in measures]
    digits = max(len(text) for texts in shown for text in texts)
    factor = max(len(text) for texts in times for text in texts)
    bar = max(8, min((width or 100) - label - digits - factor - 8, 50))
    headings = [Heading("", "", left=True), Heading("", ""), Heading("", ""), Heading("", "", left=True)]
    layout = Layout(headings, [label, digits, factor, bar], [2, 2, 2, 2])
    for measure, texts, factors in zip(measures, shown, times, strict=True):
        yield []
        yield [(measure.words, "bold")]
        values = comparison.values(measure)
        colour = _COLOURS.get(measure.unit or measure.name, _GREEN)
        for name, text, times_text, value in zip(labels, texts, factors, values, strict=True):
            drawn = draw_bar(value, max(*values, 1), bar)
            yield layout.line([(name, "cyan"), (text, ""), (times_text, "bold"), (drawn, colour)])
    yield []
    words = conditions_in_words(comparison.members[0].report, View())
    for text in (f"x: times {shorten(labels[0], label)}", words):
        yield from ([(part, "dim")] for part in wrap(text, width or 100))


def markdown_chunks(comparison: Comparison) -> Iterator[str]:
    """A table with a column for each network, ratios in parentheses."""
    members, measures = comparison.members, comparison.measures
    yield table_row(["", *(escaped(member.label) for member in members)])
    yield table_row([":--", *("--:" for _ in members)])
    yield table_row(["input", *(_inputs(member.report) for member in members)])
    yield table_row(["layers", *(exact(len(member.report.rows)) for member in members)])
    for measure in measures:
        cells = []
        for value, factor in zip(comparison.values(measure), ratios(comparison, measure), strict=True):
            cells.append(_shown(comparison, measure, value) + (f" ({factor})" if factor else ""))
        yield table_row([measure.words, *cells])
    yield f"\n{conditions_in_words(members[0].report, View())}\n"


def json_chunks(comparison: Comparison, version: str) -> Iterator[str]:
    """What was counted how, and each network's measures with their ratios to the first's, one a line."""
    yield from open_json(comparison, version)
    yield "}\n"


def open_json(comparison: Comparison, version: str) -> Iterator[str]:
    """The document without its closing brace, so that more can follow."""
    first = comparison.members[0].report
    head = {
        "netcalc": version,
        "batch": first.batch,
        "dtype": first.dtype.name,
        "convention": first.convention.name,
    }
    yield json.dumps(head)[:-1] + ', "networks": ['
    for number, member in enumerate(comparison.members):
        network = _network_dict(member, first, comparison.measures)
        yield (",\n " if number else "\n ") + json.dumps(network)
    yield "\n]"


def _network_dict(member: Member, first: Report, measures: Sequence[Measure]) -> dict[str, Any]:
    report = member.report
    return {
        "name": member.label,
        "inputs": [{"name": given.name, "shape": given.type.shape} for given in report.graph.inputs],
        "layers": len(report.rows),
        **{measure.name: measure.of(report) for measure in measures},
        "ratios": {measure.name: _quotient(measure.of(report), measure.of(first)) for measure in measures},
    }


def network_line(label: str, report: Report, width: int) -> list[Segment]:
    """A network's name, input and number of layers."""
    count = len(report.rows)
    told = f"  ·  input {_inputs(report)}  ·  {exact(count)} layer{'s' if count > 1 else ''}"
    return [(shorten(label, width).ljust(width), "bold"), (told, "")]


def label_width(comparison: Comparison) -> int:
    """Room for the longest label, within reason."""
    return min(max(len(member.label) for member in comparison.members), _MOST_LABEL)


def shorten(label: str, width: int) -> str:
    """A label cut to a width."""
    return label if len(label) <= width else f"{label[: width - 3]}..."


def ratios(comparison: Comparison, measure: Measure) -> list[str]:
    """How many times the first network's figure each of the others has."""
    first, *others = comparison.values(measure)
    return ["", *(ratio(value, first) for value in others)]


def _shown(comparison: Comparison, measure: Measure, value: int) -> str:
    return with_unit(value, byte_units(comparison.members[0].report)) if measure.unit else exact(value)


def _inputs(report: Report) -> str:
    return ", ".join(format_shape(given.type.shape) for given in report.graph.inputs)


def _quotient(value: int, base: int) -> float | None:
    return value / base if base else None
