"""HTML: how a notebook shows a table of plain data."""

from collections.abc import Iterator, Sequence

from netcalc.render.html_table import (
    DIM,
    HtmlCell,
    HtmlColumn,
    HtmlRow,
    HtmlTable,
    framed,
    paragraph,
    shown,
    table_chunks,
)
from netcalc.render.layout import cut_middle
from netcalc.render.tabular import Table, branched, texts

BRANCH = 3
"""Characters of a tree's branch for each level."""

_LONGEST_NAME = 44
"""Characters of a name that is not cut."""


def html_chunks(table: Table) -> Iterator[str]:
    """The pieces of a `div` element: title, source, table, notes. The blocks of a tree fold with a click."""
    columns = [HtmlColumn(column.heading, column.group, column.left) for column in table.columns]
    rows = [
        HtmlRow(_cells(texts(table.columns, row)), len(branch) // BRANCH) for branch, row in branched(table)
    ]
    sums = _cells(texts(table.columns, table.sums)) if table.sums else ()
    caption = f"<b>{shown(table.title)}</b>" if table.title else ""
    yield from framed(_document(HtmlTable(columns, rows, sums, caption), table.source, table.notes))


def _document(table: HtmlTable, source: str, notes: Sequence[str]) -> Iterator[str]:
    yield from table_chunks(table)
    yield from (paragraph(note, DIM) for note in (*notes, source) if note)


def name_cell(name: str, full: str = "") -> HtmlCell:
    """A name, cut in its middle where it is long."""
    return HtmlCell(cut_middle(name, _LONGEST_NAME), full=full or name)


def _cells(shown: Sequence[str]) -> list[HtmlCell]:
    name, *others = shown
    return [name_cell(name), *map(HtmlCell, others)]
