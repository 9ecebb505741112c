"""The widths of columns in HTML, in em: what the widest of common fonts takes."""

from itertools import groupby

from rich.cells import cell_len

from netcalc.render.html_cells import BAR, GAP, LONGEST_TEXT, HtmlCell, HtmlColumn, HtmlTable, gaps_of

LONGEST_IN_TREE = 34
"""Characters of a text in a tree, whose rows have one line."""

INDENT = 1.2
"""The indent of what a block holds."""

_DIGIT, _LETTER, _BOLD = 0.64, 0.62, 0.68
"""A digit, a letter, a bold letter."""


def widths_of(table: HtmlTable) -> list[float]:
    """The widths of all columns with the gaps before them."""
    widths = [
        max(content, max(map(cell_len, column.heading.split("\n"))) * _BOLD) + gap
        for content, column, gap in zip(_contents(table), table.columns, gaps_of(table.columns), strict=True)
    ]
    number = 0
    for group, members in groupby(table.columns, key=lambda column: column.group):
        size = len(list(members))
        lacking = cell_len(group) * _BOLD + GAP - sum(widths[number : number + size])
        widths[number] += max(0, lacking)
        number += size
    return widths


def _contents(table: HtmlTable) -> list[float]:
    """The widest cell of each column, cells of several columns left out."""
    widths = [0.0] * len(table.columns)
    indents = [*((row.level + 1) * INDENT for row in table.rows), INDENT]
    for indent, cells in zip(indents, [*(row.cells for row in table.rows), table.sums], strict=True):
        number = 0
        for cell in cells:
            if cell.span == 1:
                width = _width(cell, table.columns[number], LONGEST_IN_TREE if number else LONGEST_TEXT)
                widths[number] = max(widths[number], width if number else width + indent)
            number += cell.span
    return widths


def _width(cell: HtmlCell, column: HtmlColumn, longest: int) -> float:
    if cell.bar is not None:
        return BAR
    return min(cell_len(cell.text), longest) * (_LETTER if column.left else _DIGIT)
