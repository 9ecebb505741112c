"""How a layer's figures come about, as lines of formula and numbers."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len

from netcalc.analysis import Report, Row
from netcalc.analysis.explain import Explanation, explain
from netcalc.analysis.symbolic import divisions, formula, numbers
from netcalc.render.escaping import visible
from netcalc.render.layout import Segment, hanging, page_width, paragraph
from netcalc.render.numbers import byte_units, format_option, with_unit
from netcalc.tensor import format_shape

_LONGEST_FORMULA = 400
_LEAST_BESIDE = 30
"""The least width of a text beside its head."""


def explanation_lines(report: Report, row: Row, width: int | None) -> Iterator[list[Segment]]:
    """The layer and what it reads, then each figure: formula, numbers, result."""
    node = row.node
    shapes = map(format_shape, row.input_shapes)
    reads = ", ".join(f"{name} {shape}" for name, shape in zip(node.inputs, shapes, strict=True))
    options = ", ".join(f"{name} {format_option(value)}" for name, value in node.layer.settings().items())
    name, kind = visible(node.full_name), f"{node.layer.kind}  "
    head: list[Segment] = [(name, "bold cyan"), ("  " + kind, "bold")]
    if cell_len(name + kind) > page_width(width):
        yield from paragraph(name, "bold cyan", width)
        head = [(kind, "bold")]
    yield from _beside(head, options, "", width)
    yield from paragraph(f"reads {reads}, gives {format_shape(row.output_shape)}", "", width)
    for figure, members in groupby(_merged(explain(report, row)), key=lambda e: e.figure):
        yield []
        yield [(figure, "bold")]
        for explanation in members:
            yield from _figure(explanation, report, width)
    yield []
    yield [(f"{report.convention.unit} ({report.convention.name} convention)", "bold")]
    yield [(f"  {row.figures.flops:,}", "bold")]
    words = f"{report.convention.words}; batch {report.batch}"
    yield from paragraph(words, "dim", width, indent="  ")


def _figure(explanation: Explanation, report: Report, width: int | None) -> Iterator[list[Segment]]:
    symbols, filled = formula(explanation.term), numbers(explanation.term)
    result = f"{explanation.value:,}" + (f" {explanation.unit}" if explanation.unit else "")
    if explanation.unit == "bytes":
        result += f" = {with_unit(explanation.value, byte_units(report.convention.name))}"
    if len(symbols) > _LONGEST_FORMULA:
        symbols = filled = str(explanation.value)
    if symbols not in (filled, str(explanation.value)):
        yield from hanging([("  = ", "")], symbols, "", width)
    if filled != str(explanation.value):
        yield from hanging([("  = ", "")], filled, "", width)
    for dividend, divisor, way in divisions(explanation.term):
        rounded = -(-dividend // divisor) if way == "up" else dividend // divisor
        words = f"{dividend} / {divisor} = {dividend / divisor:.10g}, rounded {way} to {rounded}"
        yield from paragraph(words, "yellow", width, indent="    ")
    yield from _beside([(f"  = {result}   ", "bold")], explanation.remark or "", "dim", width)


def _beside(head: Sequence[Segment], text: str, style: str, width: int | None) -> Iterator[list[Segment]]:
    """A text beside its head, or below it where there is little room."""
    taken = sum(cell_len(part) for part, _ in head)
    at = taken if page_width(width) - taken >= _LEAST_BESIDE else 4
    yield from hanging(head, text, style, width, at) if text else [list(head)]


def _merged(explanations: Sequence[Explanation]) -> Iterator[Explanation]:
    """Axes that are computed alike stand together: `output H, W`."""
    for _, group in groupby(
        explanations, key=lambda e: (e.figure.split(" ")[0], numbers(e.term), e.value, e.remark)
    ):
        members = list(group)
        if members[0].figure.startswith(("output ", "field ")):
            word = members[0].figure.split(" ")[0]
            word = "receptive field" if word == "field" else word
            axes = ", ".join(member.figure.split(" ")[1] for member in members)
            yield members[0]._replace(figure=f"{word} {axes}")
        else:
            yield from members
