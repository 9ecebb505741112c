"""Tables in HTML as a notebook shows them."""

from collections.abc import Iterable, Iterator

from rich.cells import cell_len

from netcalc.render.html_cells import LONGEST_TEXT, TABLE, Form, HtmlTable, shown
from netcalc.render.html_tree import folded_chunks
from netcalc.render.html_widths import widths_of

_PAGE = (
    "var(--jp-layout-color0,var(--vscode-notebook-outputContainerBackgroundColor,var(--vscode-editor-background,"
    "var(--colab-primary-surface-color,oklch(from currentColor calc(1.48 - 1.45*l) 0 0)))))"
)
"""The background of a notebook's theme; elsewhere the opposite of the text's colour."""

_FRAME = (
    "isolation:isolate;max-width:100%;font-size:.93em;line-height:normal;font-variant-numeric:tabular-nums"
)

_SHARE, _SMALLEST = 80, 0.75
"""How much of a window's width a notebook leaves for a table, in percent; the smallest size of its texts."""


def framed(body: Iterable[str]) -> Iterator[str]:
    """All that a notebook shows of a value."""
    yield f'<div style="--page:{_PAGE};{_FRAME}">'
    yield from body
    yield "</div>\n"


def paragraph(text: str, style: str = "") -> str:
    """A text above or below a table."""
    return f'<div style="margin:.4em 0;max-width:64em;{style}">{shown(text)}</div>'


def table_chunks(table: HtmlTable) -> Iterator[str]:
    """A table in a box of its own, which shrinks a little and then scrolls where the page is narrow."""
    widths = widths_of(table)
    size = f"clamp({_SMALLEST}em,{_SHARE / sum(widths):.2f}vw,1em)"
    yield f'<div style="max-width:100%;overflow-x:auto;font-size:{size}">'
    yield from folded_chunks(table, widths) if any(row.level for row in table.rows) else _flat(table)
    yield "</div>"


def _flat(table: HtmlTable) -> Iterator[str]:
    """One table, whose columns take the width that they need."""
    wraps = [
        number > 0 and any(cell_len(row.cells[number].text) > LONGEST_TEXT for row in table.rows)
        for number in range(len(table.columns))
    ]
    form = Form(table.columns, wraps)
    yield f'<table style="width:auto;table-layout:auto;margin:0;{TABLE}">'
    yield f"{form.caption(table.caption)}{form.head()}<tbody>"
    yield from (form.row(row.cells) for row in table.rows)
    yield "</tbody>"
    if table.sums:
        yield f"<tfoot>{form.sums(table.sums)}</tfoot>"
    yield "</table>"
