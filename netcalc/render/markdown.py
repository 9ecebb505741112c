"""The report as a Markdown table, for notes and pull requests."""

from collections.abc import Iterator, Sequence

from netcalc.analysis import Report
from netcalc.render.columns import Column
from netcalc.render.table import conditions_in_words, shown_table, totals_in_words


def markdown_chunks(report: Report, every_layer: bool = False, wanted: Sequence[str] = ()) -> Iterator[str]:
    """The lines of the document: title, table, totals, conditions."""
    view = shown_table(report, every_layer, wanted)
    yield f"### {_escaped(report.graph.name)}\n\n"
    if report.graph.citation:
        yield f"{_escaped(report.graph.citation)}\n\n"
    yield _row([_heading(column) for column in view.columns])
    yield _row([":--" if column.left else "--:" for column in view.columns])
    for cells in (*view.head, *view.cells):
        yield _row([_escaped(text) for text in cells])
    yield _row([f"**{text}**" if text else "" for text in view.sums])
    yield f"\n{totals_in_words(report, view.lines)}\n\n"
    yield f"{conditions_in_words(report, every_layer)}\n"


def _heading(column: Column) -> str:
    group = column.group.removesuffix(" size")
    group = {"input": "in", "output": "out", "layer": ""}.get(group, group)
    return f"{group} {column.heading}".replace("\n", " ").strip()


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _escaped(text: str) -> str:
    for character in "\\|*_`<[":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
