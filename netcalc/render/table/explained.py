"""How a layer's figures come about, as one result."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from netcalc import __version__
from netcalc.analysis import Report, Row
from netcalc.analysis.explain import explain
from netcalc.analysis.symbolic import formula, numbers
from netcalc.render.json import JsonRows, json_document
from netcalc.render.numbers import exact
from netcalc.render.result import Lines, Result
from netcalc.render.table.json import layer_dict
from netcalc.render.table.lines import TableView
from netcalc.render.table.words import conditions_in_words
from netcalc.render.tabular import Table, TableColumn

_COLUMNS = (
    TableColumn("figure", "figure", left=True),
    TableColumn("formula", "formula", left=True),
    TableColumn("numbers", "numbers", left=True),
    TableColumn("value", "value", exact),
    TableColumn("unit", "unit", left=True),
    TableColumn("remark", "remark", left=True),
)


class ExplainedFigure(NamedTuple):
    """A figure of a layer in words and numbers; `formula` has names, `numbers` their values."""

    figure: str
    formula: str
    numbers: str
    value: int
    unit: str = ""
    remark: str = ""


@dataclass(frozen=True, repr=False)
class ExplanationResult(Result):
    """How the figures of a layer come about: formulas, and the same with the numbers put in."""

    report: Report
    row: Row
    """The layer."""

    @property
    def figures(self) -> tuple[ExplainedFigure, ...]:
        """Each figure with its formula, the numbers, the value and its unit."""
        return tuple(_figures(self.report, self.row))

    def lines(self, width: int | None) -> Lines:
        from netcalc.render.table.explanation import explanation_lines

        return explanation_lines(self.report, self.row, width)

    def json_chunks(self) -> Iterable[str]:
        return _json_chunks(self)

    def table(self) -> Table:
        return _table(self)


def _table(found: ExplanationResult) -> Table:
    """A row for each figure of a layer."""
    title = f"{found.report.graph.name}, {found.row.node.full_name}"
    notes = [conditions_in_words(found.report, TableView(every_layer=True))]
    return Table(_COLUMNS, found.figures, title=title, notes=notes)


def _json_chunks(found: ExplanationResult) -> Iterator[str]:
    """The layer as `netcalc table` has it, and a figure a line."""
    report = found.report
    figures: Iterator[dict[str, Any]] = (figure._asdict() for figure in found.figures)
    return json_document(
        {
            "netcalc": __version__,
            "name": report.graph.name,
            "batch": report.batch,
            "dtype": report.dtype.name,
            "convention": report.convention.name,
            "layer": layer_dict(found.row),
            "figures": JsonRows(figures),
        }
    )


def _figures(report: Report, row: Row) -> Iterator[ExplainedFigure]:
    for found in explain(report, row):
        name = found.figure.replace("field ", "receptive field ")
        filled = numbers(found.term)
        yield ExplainedFigure(name, formula(found.term), filled, found.value, found.unit, found.remark)
    flops, convention = row.figures.flops, report.convention
    remark = f"{convention.name} convention"
    yield ExplainedFigure(convention.unit, "", str(flops), flops, remark=remark)
