"""HTML: how a notebook shows a table of plain data."""

from collections.abc import Iterator, Sequence

from netcalc.render.escaping import visible
from netcalc.render.html_cells import DIM, LONGEST_TEXT, HtmlCell, HtmlColumn, HtmlRow, HtmlTable, shown
from netcalc.render.html_table import framed, paragraph, table_chunks
from netcalc.render.html_widths import LONGEST_IN_TREE
from netcalc.render.layout import cut_end, cut_middle
from netcalc.render.tabular import Cell, Table, branched, texts

_BRANCH = 3
"""Characters of a tree's branch for each level."""


def html_chunks(table: Table) -> Iterator[str]:
    """The pieces of a `div` element: title, table, notes, source. The blocks of a tree fold with a click."""
    caption = f"<b>{shown(table.title)}</b>" if table.title else ""
    yield from framed(_document(html_table(table, caption), [*table.notes, table.source]))


def html_table(table: Table, caption: str = "") -> HtmlTable:
    """A table of plain data as it is shown; `caption` is markup."""
    return HtmlTable(
        [HtmlColumn(column.heading, column.group, column.left) for column in table.columns],
        [HtmlRow([*_cells(table, row)], level_of(branch)) for branch, row in branched(table)],
        [*_cells(table, table.sums)] if table.sums else (),
        caption,
    )


def level_of(branch: str) -> int:
    """The number of blocks around a row of a tree with such a branch."""
    return len(branch) // _BRANCH


def name_cell(name: str, full: str) -> HtmlCell:
    """A name, cut in its middle where it is long, and the full name."""
    return HtmlCell(cut_middle(visible(name), LONGEST_TEXT), full=full)


def _document(table: HtmlTable, words: Sequence[str]) -> Iterator[str]:
    yield from table_chunks(table)
    yield from (paragraph(text, DIM) for text in words if text)


def _cells(table: Table, row: Sequence[object]) -> Iterator[HtmlCell]:
    """The cells of a row; in a tree, where no text goes on in another line, long ones are cut."""
    for number, (text, cell) in enumerate(zip(texts(table.columns, row), row, strict=True)):
        full = cell.value if isinstance(cell, Cell) and isinstance(cell.value, str) else text
        if number == 0:
            yield name_cell(text, full)
        else:
            yield HtmlCell(
                cut_end(visible(text), LONGEST_IN_TREE) if any(table.branches) else text, full=full
            )
