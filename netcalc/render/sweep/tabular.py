"""The rows of a sweep as a table of plain data."""

from collections.abc import Iterable

from netcalc.analysis.sweep import FIGURES, Sweep, VariantRow
from netcalc.render.json import json_text
from netcalc.render.sweep.text import conditions_in_words, figure_text, headings
from netcalc.render.tabular import Table, TableColumn
from netcalc.spec import Evaluated


def sweep_table(sweep: Sweep, rows: Iterable[VariantRow]) -> Table:
    """A row a variant, with every figure; those that failed have an error in their place."""
    columns = [
        *(TableColumn(axis.column, axis.column) for axis in sweep.axes),
        *(TableColumn(name, headings(sweep)[name], figure_text(sweep, name)) for name in FIGURES),
        TableColumn("error", "error", left=True),
    ]
    plain = ([_plain(row[column]) for column in sweep.columns] for row in rows)
    return Table(columns, plain, title=sweep.name, notes=[conditions_in_words(sweep)])


def _plain(value: Evaluated) -> object:
    return json_text(value) if isinstance(value, bool | tuple) else value
