"""HTML: how a notebook shows a table of plain data."""

from collections.abc import Iterator, Sequence
from html import escape

from netcalc.render.escaping import visible
from netcalc.render.tabular import Table, texts


def html_chunks(table: Table) -> Iterator[str]:
    """The pieces of a `table` element, with the notes below it."""
    yield f"<table><caption>{_shown(table.title)}</caption><thead>"
    yield _row([f"{column.group} {column.heading}".strip() for column in table.columns], "th")
    yield "</thead><tbody>"
    for row in table.rows:
        yield _row(texts(table.columns, row), "td")
    if table.sums:
        yield _row(texts(table.columns, table.sums), "th")
    yield f"</tbody></table><p>{'<br>'.join(map(_shown, table.notes))}</p>"


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{_shown(text)}</{tag}>" for text in cells) + "</tr>"


def _shown(text: str) -> str:
    return escape(visible(text))
