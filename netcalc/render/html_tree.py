"""A tree of rows in HTML whose blocks fold with a click, without a script.

No element folds rows of a table, so each block has tables of its own, of the same columns.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len

from netcalc.render.html_cells import (
    GAP,
    STRONG,
    TABLE,
    Form,
    HtmlColumn,
    HtmlRow,
    HtmlTable,
    lengths_of,
)

_DIGIT, _LETTER, _BOLD, _INDENT = 0.64, 0.62, 0.68, 1.2
"""Widths in em: a digit, a letter, a bold letter, an indent."""

LONGEST_IN_TREE = 34
"""Characters of a text in a tree, whose rows have one line."""

_PIXELS, _NAME_PIXELS = 16, 300
"""Pixels of an em and of a name, for pages without styles."""

_OPEN = 12
"""A block inside another one is open at first where it holds at most so many rows."""

_BESIDE = f"margin:0 0 0 {_INDENT}em"
"""The place of a row without a triangle."""


def folded_chunks(table: HtmlTable) -> Iterator[str]:
    """Tables of the same columns below and inside each other."""
    form = Form(table.columns)
    widths = _widths(table, form)
    tree = _Tree(form, widths)
    yield f'<div style="width:{_name_width(table.rows) + sum(widths):.1f}em">'
    yield tree.part(form.head(), form.caption(table.caption, _INDENT))
    blocks = _nested(table.rows)
    yield from tree.rows(blocks, _OPEN * (len(blocks) == 1))
    if table.sums:
        yield tree.part(f"<tfoot>{form.sums(table.sums)}</tfoot>")
    yield "</div>"


class _Block(NamedTuple):
    """A row of a tree with the rows inside it."""

    row: HtmlRow
    inside: "list[_Block]"

    @property
    def size(self) -> int:
        """The rows below it."""
        return sum(1 + block.size for block in self.inside)


class _Tree(NamedTuple):
    """What the tables of a tree are written with: the form of their cells, the widths of their columns."""

    form: Form
    widths: Sequence[float]

    def part(self, rows: str, caption: str = "", is_inner: bool = False, place: str = _BESIDE) -> str:
        """A table of the tree; without styles only the columns of the outermost ones are aligned."""
        style = f"table-layout:fixed;width:calc(100% - {_INDENT}em);{place};{TABLE}"
        columns = "<col>" if is_inner else f'<col width="{_NAME_PIXELS}" style="width:auto">'
        for width in self.widths:
            pixels = "" if is_inner else f' width="{width * _PIXELS:.0f}"'
            columns += f'<col{pixels} style="width:{width:.1f}em">'
        return f'<table style="{style}">{caption}<colgroup>{columns}</colgroup>{rows}</table>'

    def rows(self, blocks: Sequence[_Block], most: int, is_inner: bool = False) -> Iterator[str]:
        """Rows, of which those that hold at most so many others are open."""
        for holds_others, members in groupby(blocks, key=lambda block: bool(block.inside)):
            if holds_others:
                for block in members:
                    yield from self._block(block, block.size <= most, is_inner)
            else:
                layers = "".join(self.form.row(layer.row.cells) for layer in members)
                yield self.part(f"<tbody>{layers}</tbody>", is_inner=is_inner)

    def _block(self, block: _Block, is_open: bool, is_inner: bool) -> Iterator[str]:
        """A row that unfolds to what it holds; the triangle stands left of it."""
        name, *others = block.row.cells
        row = self.form.row([name._replace(style=f"{name.style};{STRONG}"), *others])
        yield f"<details{' open' * is_open}>"
        yield '<summary style="display:flow-root list-item;padding-top:.2em;cursor:pointer">'
        yield self.part(f"<tbody>{row}</tbody>", is_inner=is_inner, place="float:right;margin:-.2em 0 0")
        yield f'</summary><div style="margin-left:{_INDENT}em">'
        yield from self.rows(block.inside, _OPEN, is_inner=True)
        yield "</div></details>"


def _nested(rows: Sequence[HtmlRow]) -> list[_Block]:
    """The outermost rows of a tree, each with those inside it."""
    outermost: list[_Block] = []
    around: list[_Block] = []
    for row in rows:
        del around[row.level :]
        block = _Block(row, [])
        (around[-1].inside if around else outermost).append(block)
        around.append(block)
    return outermost


def _widths(table: HtmlTable, form: Form) -> list[float]:
    """The widths of all columns but the names, in em."""
    widths = [
        max(min(length, LONGEST_IN_TREE) * (_LETTER if column.left else _DIGIT), _heading_width(column)) + gap
        for column, length, gap in zip(table.columns, lengths_of(table), form.gaps, strict=True)
    ]
    number = 0
    for group, members in groupby(table.columns, key=lambda column: column.group):
        size = len(list(members))
        lacking = cell_len(group) * _BOLD + GAP - sum(widths[number : number + size])
        widths[number] += max(0, lacking)
        number += size
    return widths[1:]


def _heading_width(column: HtmlColumn) -> float:
    return max(map(cell_len, column.heading.split("\n"))) * _BOLD


def _name_width(rows: Sequence[HtmlRow]) -> float:
    """The width of the names with their indents, in em."""
    return max((row.level + 1) * _INDENT + cell_len(row.cells[0].text) * _LETTER + GAP for row in rows)
