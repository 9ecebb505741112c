"""Bars of a report's figures: for each line, and for each family of layers."""

from collections.abc import Callable, Iterator, Sequence

from netcalc.analysis import Figures, Report
from netcalc.render import numbers
from netcalc.render.bars import draw_bar
from netcalc.render.layout import Heading, Segment, TableLayout
from netcalc.render.table.columns import Column, chosen_columns
from netcalc.render.table.lines import TableLine, TableView, totals

_COLOURS = ("blue", "magenta", "green")
"""Of memory, parameters and FLOPs."""


def bar_lines(report: Report, listed: Sequence[TableLine], width: int | None) -> Iterator[list[Segment]]:
    """The lecture's three bar charts side by side: memory, parameters, flops of each line."""
    if not listed:
        yield [("no layers", "dim")]
        return
    columns = _figure_columns(report)
    values = [[read(line.figures) for _, read in columns] for line in listed]
    shown = [[column.show(value) for (column, _), value in zip(columns, row, strict=True)] for row in values]
    label = min(max((len(line.label) for line in listed), default=5), 28)
    digits = [max(map(len, texts)) for texts in zip(*shown, strict=True)]
    room = ((width or 100) - label - sum(digits) - 3 * 4) // 3
    bar = max(4, min(room, 30))
    headings = [Heading("", "layer", left=True)]
    for column, _ in columns:
        headings += [Heading("", column.heading.replace("\n", " "), left=True), Heading("", "")]
    largest = [max(column) for column in zip(*values, strict=True)]
    layout = TableLayout(
        headings, [label, *(size for width in digits for size in (bar, width))], [0, *([2, 1] * 3)]
    )
    yield layout.line([(heading.text, "bold") for heading in headings])
    yield layout.rule()
    for line, row, texts in zip(listed, values, shown, strict=True):
        cells: list[Segment] = [(line.label, "cyan")]
        for value, text, most, colour in zip(row, texts, largest, _COLOURS, strict=True):
            cells += [(draw_bar(value, most, bar), colour), (text, "" if value else "dim")]
        yield layout.line(cells)


def family_lines(report: Report, listed: Sequence[TableLine]) -> Iterator[list[Segment]]:
    """Totals by kind of layer, each with its share and a bar."""
    families: dict[str, list[TableLine]] = {}
    for line in listed:
        families.setdefault(line.row.node.layer.family, []).append(line)
    columns = _figure_columns(report)
    everything = totals(listed)
    headings = [Heading("", "by kind", left=True), Heading("", "lines")]
    for column, _ in columns:
        text = column.heading.replace("\n", " ")
        headings += [Heading("", text), Heading("", ""), Heading("", "", left=True)]
    rows: list[list[str]] = []
    for family, members in families.items():
        figures = totals(members)
        row = [family, str(len(members))]
        for column, read in columns:
            part, whole = read(figures), read(everything)
            row += [column.show(part), numbers.percent(part, whole), draw_bar(part, whole or 1, 6)]
        rows.append(row)
    widths = [
        max(len(heading.text), *(len(row[at]) for row in rows)) if rows else len(heading.text)
        for at, heading in enumerate(headings)
    ]
    layout = TableLayout(headings, widths, [0, 2, *([2, 1, 1] * len(columns))])
    yield layout.line([(heading.text, "bold") for heading in headings])
    styles = ["cyan", "", *(style for colour in _COLOURS for style in ("", "dim", colour))]
    for row in rows:
        yield layout.line(list(zip(row, styles, strict=True)))


def _figure_columns(report: Report) -> list[tuple[Column, Callable[[Figures], int]]]:
    """The columns that add up, each with the figure that it shows."""
    chosen = chosen_columns(report, TableView())
    return [(column, column.of_figures) for column in chosen if column.of_figures is not None]
