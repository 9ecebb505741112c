"""The cells of a table in HTML: texts, headings and bars with inline styles.

Notebooks and code hosts drop style sheets. Every colour shows on light and dark pages; where styles are
dropped as well, alignment is left as attributes.
"""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from netcalc.render.escaping import visible

DIM, STRONG, STRUCK = "opacity:.6", "font-weight:bold", "text-decoration:line-through"

LONGEST_TEXT = 40
"""Characters of a name, and of another text that stays on one line."""

GAP, GROUP_GAP = 0.9, 1.6
"""The space before a column, and before the first one of a group, in em."""

BAR = 6
"""The length of the longest bar in em."""

_LINE, _RULE = "1px solid #8885", "1px solid #888d"

_NAME = "position:sticky;left:0;z-index:1;background:var(--page) padding-box;padding:.2em 0;text-align:left"
"""Names stay in view where a table scrolls, with what is below them hidden."""

TABLE = "border-collapse:collapse;font-size:inherit"
"""The style of every table."""


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


def shown(text: str) -> str:
    """A text in which no character is markup or a control character."""
    return escape(visible(text))


def gaps_of(columns: Sequence[HtmlColumn]) -> list[float]:
    """The space before each column, in em."""
    above = [columns[0].group, *(column.group for column in columns)]
    return [
        GAP if column.group == group else GROUP_GAP for group, column in zip(above, columns, strict=False)
    ]


class Form:
    """What the cells of a table's columns look like."""

    def __init__(self, columns: Sequence[HtmlColumn], wraps: Sequence[bool] = ()) -> None:
        """`wraps` says which columns go on in further lines; without it the columns' widths hold the gaps."""
        self.columns = columns
        self._gaps = gaps_of(columns)
        self._wraps = wraps or [False] * len(columns)
        self._styles = [
            _NAME if number == 0 else self._column_style(number, bool(wraps))
            for number in range(len(columns))
        ]

    def _column_style(self, number: int, with_gap: bool) -> str:
        is_left, gap = self.columns[number].left, self._gaps[number]
        padding = f"padding:.2em 0 .2em {gap}em" if with_gap or is_left else "padding:.2em 0"
        return f"text-align:left;{padding}" if is_left else padding

    def caption(self, text: str, indent: float = 0) -> str:
        """The caption of a table that is indented."""
        style = f"caption-side:top;text-align:left;padding:.3em 0;color:inherit;text-indent:{-indent}em"
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
        line = f"border-bottom:{_LINE};padding-bottom:.2em;margin-left:{GAP}em;text-align:center"
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
        weight = "" if number or STRONG in cell.style else "font-weight:normal"
        style = ";".join(filter(None, (self._style(number, cell.text), weight, cell.style.strip(";"))))
        return f'<{tag}{attributes} style="{style}">{shown(cell.text)}</{tag}>'

    def _style(self, number: int, text: str) -> str:
        if self._wraps[number]:
            return f"{self._styles[number]};min-width:18em"
        return self._styles[number] + ";white-space:nowrap" * bool({" ", "-"} & {*text})


def _bar(cell: HtmlCell) -> str:
    """A bar drawn as a border, which is printed where backgrounds are not."""
    length = max(0.1, (cell.bar or 0) * BAR) if cell.bar else 0
    style = f"width:{length:.1f}em;border-top:.7em solid;{cell.style}"
    return f'<div aria-hidden="true" style="width:{BAR}em"><div style="{style}"></div></div>'
