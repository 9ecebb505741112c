"""The report as a Markdown table, for notes and pull requests."""

from collections.abc import Iterator

from netcalc.analysis import Report
from netcalc.render.markdown import escaped, table_row
from netcalc.render.table.cells import shown_table
from netcalc.render.table.columns import Column
from netcalc.render.table.lines import TableView
from netcalc.render.table.words import footer_in_words


def markdown_chunks(report: Report, view: TableView = TableView()) -> Iterator[str]:
    """The lines of the document: title, table, totals, conditions."""
    shown = shown_table(report, view)
    yield f"### {escaped(report.graph.name)}\n\n"
    if report.graph.citation:
        yield f"{escaped(report.graph.citation)}\n\n"
    yield table_row([_heading(column) for column in shown.columns])
    yield table_row([":--" if column.left else "--:" for column in shown.columns])
    branches = shown.branches or [""] * len(shown.cells)
    for branch, cells in zip([*[""] * len(shown.head), *branches], (*shown.head, *shown.cells), strict=True):
        name, *others = map(escaped, cells)
        yield table_row([branch.replace(" ", "&nbsp;") + name, *others])
    yield table_row([f"**{text}**" if text else "" for text in shown.sums])
    yield from (f"\n{text}\n" for text in footer_in_words(report, view))


def _heading(column: Column) -> str:
    group = column.group.removesuffix(" size")
    group = {"input": "in", "output": "out", "layer": ""}.get(group, group)
    return f"{group} {column.heading}".replace("\n", " ").strip()
