"""The report as a Markdown table, for notes and pull requests."""

from collections.abc import Iterator

from netcalc.analysis import Report
from netcalc.render.markdown import escaped, table_row
from netcalc.render.table.cells import shown_table
from netcalc.render.table.columns import Column
from netcalc.render.table.lines import TableView
from netcalc.render.table.words import conditions_in_words, totals_in_words


def markdown_chunks(report: Report, view: TableView = TableView()) -> Iterator[str]:
    """The lines of the document: title, table, totals, conditions."""
    shown = shown_table(report, view)
    yield f"### {escaped(report.graph.name)}\n\n"
    if report.graph.citation:
        yield f"{escaped(report.graph.citation)}\n\n"
    yield table_row([_heading(column) for column in shown.columns])
    yield table_row([":--" if column.left else "--:" for column in shown.columns])
    for cells in (*shown.head, *shown.cells):
        yield table_row([escaped(text) for text in cells])
    yield table_row([f"**{text}**" if text else "" for text in shown.sums])
    yield f"\n{totals_in_words(report, shown.lines)}\n\n"
    yield f"{conditions_in_words(report, view)}\n"


def _heading(column: Column) -> str:
    group = column.group.removesuffix(" size")
    group = {"input": "in", "output": "out", "layer": ""}.get(group, group)
    return f"{group} {column.heading}".replace("\n", " ").strip()
