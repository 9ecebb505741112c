"""The rows of a sweep as CSV."""

from collections.abc import Iterable, Iterator

from netcalc.analysis.sweep import Sweep, VariantRow
from netcalc.render.csv import csv_document
from netcalc.render.json import json_text
from netcalc.spec import Evaluated


def csv_chunks(sweep: Sweep, rows: Iterable[VariantRow]) -> Iterator[str]:
    """A line a row, the names of the columns first; an empty cell is null."""
    return csv_document(sweep.columns, ([_plain(row[column]) for column in sweep.columns] for row in rows))


def _plain(value: Evaluated) -> object:
    return json_text(value) if isinstance(value, bool | tuple) else value
