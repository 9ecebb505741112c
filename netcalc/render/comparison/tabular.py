"""A comparison and a difference as tables of plain data."""

from functools import partial
from typing import Any

from netcalc.analysis.comparison import Comparison
from netcalc.render.comparison.ledger import (
    STRETCHES,
    CostColumn,
    LedgerEntry,
    cost_columns,
    difference_of,
    ledger_entries,
    totals_in_words,
)
from netcalc.render.comparison.words import format_measure, ratios
from netcalc.render.numbers import exact, signed
from netcalc.render.table.lines import TableView
from netcalc.render.table.words import conditions_in_words, input_shapes
from netcalc.render.tabular import Cell, Table, TableColumn


def comparison_table(comparison: Comparison) -> Table:
    """A row for each measure and a column for each network, ratios in parentheses."""
    members = comparison.members
    labels = [member.label for member in members]
    rows: list[list[object]] = [
        ["input", *(input_shapes(member.report.graph) for member in members)],
        ["layers", *(_count(len(member.report.rows)) for member in members)],
    ]
    for measure in comparison.measures:
        cells: list[object] = [Cell(measure.name, measure.words)]
        for value, factor in zip(comparison.values(measure), ratios(comparison, measure), strict=True):
            text = format_measure(comparison, measure, value) + (f" ({factor})" if factor else "")
            cells.append(Cell(value, text))
        rows.append(cells)
    columns = [TableColumn("measure", left=True), *(TableColumn(label, label) for label in labels)]
    return Table(columns, rows, notes=[conditions_in_words(members[0].report, TableView())])


def difference_table(comparison: Comparison) -> Table:
    """A row for each difference with its cost; layers that are unchanged or renamed share one."""
    found = difference_of(comparison)
    costs = cost_columns(found.before)
    return Table(
        [
            TableColumn("status", left=True),
            TableColumn("layer", "layer", left=True),
            TableColumn("what", "what", left=True),
            *(_cost_column(column) for column in costs),
        ],
        [_entry(entry, costs) for entry in ledger_entries(found.layers)],
        ["", "difference", "", *(column.read(found.cost) for column in costs)],
        " to ".join(member.label for member in comparison.members),
        notes=[totals_in_words(found), conditions_in_words(found.before, TableView())],
    )


def _cost_column(column: CostColumn) -> TableColumn:
    return TableColumn(column.name, column.heading.replace("\n", " "), partial(_signed, column))


def _signed(column: CostColumn, value: Any) -> str:
    return signed(value, column.show)


def _entry(entry: LedgerEntry, costs: tuple[CostColumn, ...]) -> list[object]:
    if entry.status in STRETCHES:
        return [Cell(entry.status, ""), "", entry.stretch, *(Cell(0, "") for _ in costs)]
    return [entry.status, entry.label, entry.words, *(column.read(entry.cost) for column in costs)]


def _count(value: int) -> Cell:
    return Cell(value, exact(value))
