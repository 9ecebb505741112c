"""CSV: every format that writes CSV comes here."""

import csv
import io
from collections.abc import Iterator, Sequence

from netcalc.render.escaping import visible
from netcalc.render.tabular import Table, values


def csv_chunks(table: Table) -> Iterator[str]:
    """The lines of a file, the names of the columns first; an empty cell is None."""
    yield _line([column.name for column in table.columns])
    for row in table.rows:
        yield _line(values(row))


def _line(cells: Sequence[object]) -> str:
    """One line; control characters in texts are escaped."""
    buffer = io.StringIO()
    shown = [visible(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(buffer, lineterminator="\n").writerow(shown)
    return buffer.getvalue()
