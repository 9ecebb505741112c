"""CSV: every format that writes CSV comes here."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from netcalc.render.escaping import visible


def csv_document(names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a file, the names of the columns first; an empty cell is None."""
    yield _line(names)
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[object]) -> str:
    """One line; control characters in texts are escaped."""
    buffer = io.StringIO()
    shown = [visible(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(buffer, lineterminator="\n").writerow(shown)
    return buffer.getvalue()
