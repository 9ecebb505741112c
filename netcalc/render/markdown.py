"""Markdown: every table in Markdown comes here, and the escapes that its pages share."""

from collections.abc import Iterator, Sequence

from netcalc.render.escaping import visible
from netcalc.render.tabular import Table, TableColumn, branched, texts


def markdown_chunks(table: Table) -> Iterator[str]:
    """The lines of a document: title, source, table, notes."""
    if table.title:
        yield f"### {escaped(table.title)}\n\n"
    if table.source:
        yield f"{escaped(table.source)}\n\n"
    yield table_row([escaped(_heading(column)) for column in table.columns])
    yield table_row([":--" if column.left else "--:" for column in table.columns])
    for branch, row in branched(table):
        name, *others = map(escaped, texts(table.columns, row))
        yield table_row([branch.replace(" ", "&nbsp;") + name, *others])
    if table.sums:
        sums = texts(table.columns, table.sums)
        yield table_row([f"**{escaped(text)}**" if text else "" for text in sums])
    for note in table.notes:
        yield f"\n{escaped(note)}\n"


def table_row(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |\n"


def escaped(text: str) -> str:
    """A text on one line, in which no character is markup or a control character."""
    for character in "\\|*_`<[":
        text = text.replace(character, f"\\{character}")
    return visible(" ".join(text.split()))


def _heading(column: TableColumn) -> str:
    return column.full_heading or f"{column.group} {column.heading}"
