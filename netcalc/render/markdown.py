"""The report as a Markdown table, for notes and pull requests."""

from collections.abc import Iterator, Sequence

from netcalc.analysis import Report
from netcalc.render.columns import Column
from netcalc.render.escaping import visible
from netcalc.render.lines import View
from netcalc.render.table import conditions_in_words, shown_table, totals_in_words


def markdown_chunks(report: Report, view: View = View()) -> Iterator[str]:
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


def table_row(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |\n"


def escaped(text: str) -> str:
    """A text on one line, without a meaning to Markdown or to a terminal."""
    for character in "\\|*_`<[":
        text = text.replace(character, f"\\{character}")
    return visible(" ".join(text.split()))
