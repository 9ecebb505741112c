"""A tree of rows in HTML whose blocks fold with a click, without a script.

No element folds rows of a table, so each block has tables of its own, of the same columns.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from netcalc.render.html_cells import STRONG, TABLE, Form, HtmlRow, HtmlTable
from netcalc.render.html_widths import INDENT

_PIXELS, _NAME_PIXELS = 16, 300
"""Pixels of an em and of a name, for pages without styles."""

_OPEN = 12
"""A block inside another one is open at first where it holds at most so many rows."""

_BESIDE = f"margin:0 0 0 {INDENT}em"
"""The place of a row without a triangle."""


def folded_chunks(table: HtmlTable, widths: Sequence[float]) -> Iterator[str]:
    """Tables of the same columns, with widths in em, below and inside each other."""
    form = Form(table.columns)
    tree = _Tree(form, widths[1:])
    yield f'<div style="width:{sum(widths):.1f}em">'
    yield tree.part(form.head(), form.caption(table.caption, INDENT))
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
        style = f"table-layout:fixed;width:calc(100% - {INDENT}em);{place};{TABLE}"
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
        yield f'</summary><div style="margin-left:{INDENT}em">'
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
