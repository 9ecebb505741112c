"""Tables in HTML as a notebook shows them."""

from collections.abc import Iterable, Iterator

from netcalc.render.html_cells import LONGEST_TEXT, TABLE, Form, HtmlTable, lengths_of, shown
from netcalc.render.html_tree import folded_chunks

_PAGE = (
    "var(--jp-layout-color0,var(--vscode-notebook-outputContainerBackgroundColor,var(--vscode-editor-background,"
    "var(--colab-primary-surface-color,oklch(from currentColor calc(1.48 - 1.45*l) 0 0)))))"
)
"""The background of a notebook's theme; elsewhere the opposite of the text's colour."""

_FRAME = (
    "isolation:isolate;max-width:100%;font-size:.93em;line-height:normal;font-variant-numeric:tabular-nums"
)


def framed(body: Iterable[str]) -> Iterator[str]:
    """All that a notebook shows of a value."""
    yield f'<div style="--page:{_PAGE};{_FRAME}">'
    yield from body
    yield "</div>\n"


def paragraph(text: str, style: str = "") -> str:
    """A text above or below a table."""
    return f'<div style="margin:.4em 0;max-width:64em;{style}">{shown(text)}</div>'


def table_chunks(table: HtmlTable) -> Iterator[str]:
    """A table in a box of its own, which scrolls where the page is narrow."""
    yield '<div style="max-width:100%;overflow-x:auto">'
    yield from folded_chunks(table) if any(row.level for row in table.rows) else _flat(table)
    yield "</div>"


def _flat(table: HtmlTable) -> Iterator[str]:
    """One table, whose columns take the width that they need."""
    form = Form(table.columns, [False, *(length > LONGEST_TEXT for length in lengths_of(table)[1:])])
    yield f'<table style="width:auto;table-layout:auto;margin:0;{TABLE}">'
    yield f"{form.caption(table.caption)}{form.head()}<tbody>"
    yield from (form.row(row.cells) for row in table.rows)
    yield "</tbody>"
    if table.sums:
        yield f"<tfoot>{form.sums(table.sums)}</tfoot>"
    yield "</table>"
