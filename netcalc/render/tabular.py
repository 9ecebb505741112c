"""A table as plain data, from which CSV, Markdown and LaTeX are written.

A room of `render` describes its table once; the formats know nothing of what is shown.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, NamedTuple


class TableColumn(NamedTuple):
    """A column: `name` heads it in CSV, `heading` elsewhere, below the name of its group."""

    name: str
    heading: str = ""
    show: Callable[[Any], str] = str
    """The text of a value that is not None, for people."""
    left: bool = False
    group: str = ""
    full_heading: str = ""
    """What heads it where no group stands above; the group and the heading unless given."""


class Cell(NamedTuple):
    """A value with a text of its own, for a cell that its column would show otherwise."""

    value: object
    text: str


@dataclass(frozen=True)
class Table:
    """Columns and rows of plain values; None is an empty cell."""

    columns: Sequence[TableColumn]
    rows: Iterable[Sequence[object]]
    """May be made as they are written, once."""
    sums: Sequence[object] = ()
    """A last row of totals; CSV has none."""
    title: str = ""
    source: str = ""
    """Where what is shown was published."""
    notes: Sequence[str] = ()
    """Sentences below the table: totals, conditions, units."""
    branches: Sequence[str] = ()
    """Of a tree, what stands before the first cell of each row, as `│  ├─ `; CSV has none."""


def values(row: Sequence[object]) -> list[object]:
    """The plain values of a row."""
    return [cell.value if isinstance(cell, Cell) else cell for cell in row]


def texts(columns: Sequence[TableColumn], row: Sequence[object]) -> list[str]:
    """The texts of a row's cells."""
    return [_text(column, cell) for column, cell in zip(columns, row, strict=True)]


def branched(table: Table) -> Iterator[tuple[str, Sequence[object]]]:
    """The rows, each with what stands before its first cell."""
    yield from zip(chain(table.branches, repeat("")), table.rows, strict=False)


def _text(column: TableColumn, cell: object) -> str:
    if isinstance(cell, Cell):
        return cell.text
    return "" if cell is None else column.show(cell)
