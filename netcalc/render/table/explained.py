"""How a layer's figures come about: as a table of plain data, and as JSON."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from netcalc.analysis import Report, Row
from netcalc.analysis.explain import explain
from netcalc.analysis.symbolic import formula, numbers
from netcalc.render.json import JsonRows, json_document
from netcalc.render.numbers import exact
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


class _ExplainedFigure(NamedTuple):
    """A figure of a layer in words and numbers; `formula` has names, `numbers` their values."""

    figure: str
    formula: str
    numbers: str
    value: int
    unit: str = ""
    remark: str = ""


def explanation_table(report: Report, row: Row) -> Table:
    """A row for each figure of a layer."""
    title = f"{report.graph.name}, {row.node.full_name}"
    notes = [conditions_in_words(report, TableView(every_layer=True))]
    return Table(_COLUMNS, _figures(report, row), title=title, notes=notes)


def json_chunks(report: Report, row: Row, version: str) -> Iterator[str]:
    """The layer as `netcalc table` has it, and a figure a line."""
    figures: Iterator[dict[str, Any]] = (figure._asdict() for figure in _figures(report, row))
    return json_document(
        {
            "netcalc": version,
            "name": report.graph.name,
            "batch": report.batch,
            "dtype": report.dtype.name,
            "convention": report.convention.name,
            "layer": layer_dict(row),
            "figures": JsonRows(figures),
        }
    )


def _figures(report: Report, row: Row) -> Iterator[_ExplainedFigure]:
    for found in explain(report, row):
        name = found.figure.replace("field ", "receptive field ")
        filled = numbers(found.term)
        yield _ExplainedFigure(name, formula(found.term), filled, found.value, found.unit, found.remark)
    flops, convention = row.figures.flops, report.convention
    remark = f"{convention.name} convention"
    yield _ExplainedFigure(convention.unit, "", str(flops), flops, remark=remark)
