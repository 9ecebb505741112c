"""Tables in HTML as a notebook shows them: one table, or a tree whose blocks fold with a click.

Styles are inline, because notebooks and code hosts drop style sheets, and every colour shows on light and
dark pages. Where styles are dropped as well, alignment and widths are left as attributes.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len

from netcalc.render.escaping import visible

DIM, STRONG, STRUCK = "opacity:.6", "font-weight:bold", "text-decoration:line-through"

LONGEST_TEXT = 40
"""Characters of a text that stays on one line."""

_CHARACTER, _BOLD, _GAP, _GROUP_GAP, _INDENT = 0.64, 0.72, 1.0, 1.8, 1.2
"""Widths in em: a character, a bold one, the space in a cell and in the first of a group, an indent."""

_PIXELS, _NAME_PIXELS = 16, 300
"""Pixels of an em and of a name, for pages without styles."""

_OPEN = 12
"""A block inside another one is open at first where it holds at most so many rows."""

_BAR = 6
"""The length of the longest bar in em."""

_LINE, _RULE = "1px solid #8885", "1px solid #888d"

_PAGE = (
    "var(--jp-layout-color0,var(--vscode-notebook-outputContainerBackgroundColor,var(--vscode-editor-background,"
    "var(--colab-primary-surface-color,oklch(from currentColor calc(1.48 - 1.45*l) 0 0)))))"
)
"""The background of a notebook's theme; elsewhere the opposite of the text's colour."""

_NAME = "position:sticky;left:0;background:var(--page);padding:.2em 0;text-align:left;font-weight:normal"
"""Names stay in view where a table scrolls, with what is below them hidden."""

_TABLE = "border-collapse:collapse;font-size:inherit"


class HtmlColumn(NamedTuple):
    """A column; those side by side with one group share its name above them."""

    heading: str
    group: str = ""
    left: bool = False


class HtmlCell(NamedTuple):
    """A text with its style; the full text is shown where the pointer rests on it."""

    text: str
    style: str = ""
    full: str = ""
    span: int = 1
    """The columns that it takes."""
    bar: float | None = None
    """A share of 1, drawn as a bar in place of the text."""


class HtmlRow(NamedTuple):
    """The cells of a row, the name first, and the number of blocks around it."""

    cells: Sequence[HtmlCell]
    level: int = 0


class HtmlTable(NamedTuple):
    """Columns, rows, and a last row of totals."""

    columns: Sequence[HtmlColumn]
    rows: Sequence[HtmlRow]
    sums: Sequence[HtmlCell] = ()
    caption: str = ""
    """What the table shows; it is the first line."""


def framed(body: Iterable[str]) -> Iterator[str]:
    """All that a notebook shows of a value."""
    yield f'<div style="--page:{_PAGE};max-width:100%;font-variant-numeric:tabular-nums">'
    yield from body
    yield "</div>\n"


def paragraph(text: str, style: str = "") -> str:
    """A text above or below a table."""
    return f'<div style="margin:.4em 0;max-width:64em;{style}">{shown(text)}</div>'


def shown(text: str) -> str:
    """A text in which no character is markup or a control character."""
    return escape(visible(text))


def table_chunks(table: HtmlTable) -> Iterator[str]:
    """A table in a box of its own, which scrolls where the page is narrow."""
    yield '<div style="max-width:100%;overflow-x:auto">'
    yield from _folded(table) if any(row.level for row in table.rows) else _flat(table)
    yield "</div>"


def _flat(table: HtmlTable) -> Iterator[str]:
    """One table, whose columns take the width that they need."""
    form = _Form(table.columns, [False, *(length > LONGEST_TEXT for length in _lengths(table)[1:])])
    yield f'<table style="width:auto;table-layout:auto;margin:0;{_TABLE}">'
    yield f"{form.caption(table.caption)}{form.head()}<tbody>"
    yield from (form.row(row.cells) for row in table.rows)
    yield "</tbody>"
    if table.sums:
        yield f"<tfoot>{form.sums(table.sums)}</tfoot>"
    yield "</table>"


def _folded(table: HtmlTable) -> Iterator[str]:
    """Tables of the same columns below and inside each other: no element folds rows of one table."""
    form = _Form(table.columns)
    widths = _widths(table, form)
    columns = "".join(f'<col width="{size * _PIXELS:.0f}" style="width:{size:.1f}em">' for size in widths)
    tree = _Tree(form, f'<colgroup><col width="{_NAME_PIXELS}" style="width:auto">{columns}</colgroup>')
    yield f'<div style="width:{_name_width(table.rows) + sum(widths):.1f}em">'
    yield tree.part(form.caption(table.caption), form.head())
    blocks = _nested(table.rows)
    yield from tree.rows(blocks, _OPEN * (len(blocks) == 1))
    if table.sums:
        yield tree.part(f"<tfoot>{form.sums(table.sums)}</tfoot>")
    yield "</div>"


class _Form:
    """What the cells of a table's columns look like."""

    def __init__(self, columns: Sequence[HtmlColumn], wraps: Sequence[bool] = ()) -> None:
        """`wraps` says which columns go on in further lines; without it the columns' widths hold the gaps."""
        self.columns = columns
        above = [columns[0].group, *(column.group for column in columns)]
        self.gaps = [
            _GAP if column.group == group else _GROUP_GAP
            for group, column in zip(above, columns, strict=False)
        ]
        self._wraps = wraps or [False] * len(columns)
        self._styles = [
            _NAME if number == 0 else self._column_style(number, bool(wraps))
            for number in range(len(columns))
        ]

    def _column_style(self, number: int, with_gap: bool) -> str:
        is_left, gap = self.columns[number].left, self.gaps[number]
        padding = f"padding:.2em 0 .2em {gap}em" if with_gap or is_left else "padding:.2em 0"
        return f"text-align:left;{padding}" if is_left else padding

    def caption(self, text: str) -> str:
        """The caption of a table."""
        style = "caption-side:top;text-align:left;padding:.3em 0;color:inherit"
        return f'<caption align="left" style="{style}">{text}</caption>' if text else ""

    def head(self) -> str:
        """The headings, with the names of groups above them."""
        is_grouped = any(column.group for column in self.columns)
        upper, lower, number = "", "", 0
        for group, members in groupby(self.columns, key=lambda column: column.group):
            size = len(list(members))
            headings = [self._heading(at, is_grouped and not group) for at in range(number, number + size)]
            if group:
                upper += self._group(group, size)
                lower += "".join(headings)
            else:
                upper += "".join(headings)
            number += size
        rows = [f'<tr align="right" style="background:none">{row}</tr>' for row in (upper, lower) if row]
        return f'<thead style="background:none;border-bottom:{_RULE}">{"".join(rows)}</thead>'

    def _group(self, group: str, size: int) -> str:
        """A name above its columns, with a line that leaves the gap before them."""
        line = f"border-bottom:{_LINE};padding-bottom:.2em;margin-left:{_GAP}em;text-align:center"
        style = "padding:.2em 0 0;font-weight:bold"
        inner = f'<div style="{line}">{shown(group)}</div>'
        return f'<th scope="colgroup" colspan="{size}" align="center" style="{style}">{inner}</th>'

    def _heading(self, number: int, is_tall: bool) -> str:
        text = "<br>".join(map(shown, self.columns[number].heading.split("\n")))
        rows = ' rowspan="2"' if is_tall else ""
        side = "left" if self.columns[number].left else "right"
        style = f"{self._style(number, text)};text-align:{side};vertical-align:bottom;font-weight:bold"
        return f'<th scope="col"{rows} align="{side}" style="{style}">{text}</th>'

    def row(self, cells: Sequence[HtmlCell], style: str = f"border-bottom:{_LINE}") -> str:
        """A row; the name heads it."""
        written, number = "", 0
        for cell in cells:
            written += self._cell(number, cell)
            number += cell.span
        return f'<tr align="right" style="text-align:right;background:none;{style}">{written}</tr>'

    def sums(self, cells: Sequence[HtmlCell]) -> str:
        """The row of totals."""
        bold = [cell._replace(style=f"{STRONG};{cell.style}") for cell in cells]
        return self.row(bold, f"border-top:{_RULE}")

    def _cell(self, number: int, cell: HtmlCell) -> str:
        attributes = f' colspan="{cell.span}"' if cell.span > 1 else ""
        if cell.bar is not None:
            return f'<td{attributes} style="{self._styles[number]}">{_bar(cell)}</td>'
        if number and not cell.text:
            return f"<td{attributes}></td>"
        tag = "td"
        if number == 0:
            tag, attributes = "th", ' scope="row" align="left"'
        if cell.full and cell.full != cell.text:
            attributes += f' title="{shown(cell.full)}"'
        style = f"{self._style(number, cell.text)};{cell.style}".rstrip(";")
        return f'<{tag}{attributes} style="{style}">{shown(cell.text)}</{tag}>'

    def _style(self, number: int, text: str) -> str:
        if self._wraps[number]:
            return f"{self._styles[number]};min-width:18em"
        return self._styles[number] + ";white-space:nowrap" * (" " in text)


def _bar(cell: HtmlCell) -> str:
    """A bar drawn as a border, which is printed where backgrounds are not."""
    length = max(0.1, (cell.bar or 0) * _BAR) if cell.bar else 0
    style = f"width:{length:.1f}em;border-top:.7em solid;{cell.style}"
    return f'<div aria-hidden="true" style="width:{_BAR}em"><div style="{style}"></div></div>'


class _Block(NamedTuple):
    """A row of a tree with the rows inside it."""

    row: HtmlRow
    inside: "list[_Block]"

    @property
    def size(self) -> int:
        """The rows below it."""
        return sum(1 + block.size for block in self.inside)


class _Tree(NamedTuple):
    """What a tree of tables is written with: their cells, and their columns' widths."""

    form: _Form
    columns: str

    def part(self, *rows: str, place: str = f"margin:0 0 0 {_INDENT}em") -> str:
        """A table of the tree."""
        style = f"table-layout:fixed;width:calc(100% - {_INDENT}em);{place};{_TABLE}"
        caption, *others = rows if rows[0].startswith("<caption") else ("", *rows)
        return f'<table style="{style}">{caption}{self.columns}{"".join(others)}</table>'

    def rows(self, blocks: Sequence[_Block], most: int) -> Iterator[str]:
        """Rows, of which those that hold at most so many others are open."""
        for holds_others, members in groupby(blocks, key=lambda block: bool(block.inside)):
            if holds_others:
                for block in members:
                    yield from self._block(block, block.size <= most)
            else:
                yield self.part("<tbody>", *(self.form.row(layer.row.cells) for layer in members), "</tbody>")

    def _block(self, block: _Block, is_open: bool) -> Iterator[str]:
        """A row that unfolds to what it holds; the triangle stands left of it."""
        row = f"<tbody>{self.form.row(block.row.cells)}</tbody>"
        yield f"<details{' open' * is_open}>"
        yield '<summary style="display:flow-root list-item;padding-top:.2em;cursor:pointer">'
        yield self.part(row, place="float:right;margin:-.2em 0 0")
        yield f'</summary><div style="margin-left:{_INDENT}em">'
        yield from self.rows(block.inside, _OPEN)
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


def _lengths(table: HtmlTable) -> list[int]:
    """The most characters of a cell of each column, cells of several columns left out."""
    lengths = [0] * len(table.columns)
    for cells in (*(row.cells for row in table.rows), table.sums):
        number = 0
        for cell in cells:
            if cell.span == 1:
                lengths[number] = max(lengths[number], cell_len(cell.text))
            number += cell.span
    return lengths


def _widths(table: HtmlTable, form: _Form) -> list[float]:
    """The widths of all columns but the names, in em."""
    widths = [
        max(min(length, LONGEST_TEXT) * _CHARACTER, _heading_width(column)) + gap
        for column, length, gap in zip(table.columns, _lengths(table), form.gaps, strict=True)
    ]
    number = 0
    for group, members in groupby(table.columns, key=lambda column: column.group):
        size = len(list(members))
        lacking = cell_len(group) * _BOLD + _GAP - sum(widths[number : number + size])
        widths[number] += max(0, lacking)
        number += size
    return widths[1:]


def _heading_width(column: HtmlColumn) -> float:
    return max(map(cell_len, column.heading.split("\n"))) * _BOLD


def _name_width(rows: Sequence[HtmlRow]) -> float:
    """The width of the names with their indents, in em."""
    return max((row.level + 1) * _INDENT + cell_len(row.cells[0].text) * _CHARACTER + _GAP for row in rows)
