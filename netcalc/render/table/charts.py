"""Bar charts of a report's figures, a bar for each line."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from netcalc.analysis import Figures, Report
from netcalc.render.bars import draw_bar
from netcalc.render.escaping import visible
from netcalc.render.labels import COUNTED, is_counted, short_label
from netcalc.render.layout import PAGE, Heading, Segment, TableLayout, paragraph
from netcalc.render.table.columns import Column
from netcalc.render.table.families import COLOURS, figure_columns
from netcalc.render.table.lines import TableLine

_LONGEST_BAR, _SHORT_BAR, _LEAST_BAR = 30, 8, 4
_LEAST_LABEL = 20
"""Labels are not cut below this for the sake of bars."""


def chart_lines(report: Report, listed: Sequence[TableLine], width: int | None) -> Iterator[list[Segment]]:
    """The lecture's three bar charts side by side: memory, parameters, flops of each line.

    Where the figures leave no room for bars beside each other, the charts stand below each other.
    """
    if not listed:
        yield [("no layers", "dim")]
        return
    charts = [_chart(column, read, listed, colour)
              for (column, read), colour in zip(figure_columns(report), COLOURS, strict=True)]  # fmt: skip
    labels = [visible(line.label) for line in listed]
    label, bar = _sizes(labels, charts, width)
    is_narrow = width is not None and _width(label, bar, charts) > width
    for number, some in enumerate([[chart] for chart in charts] if is_narrow else [charts]):
        yield from [[]] if number else []
        label, bar = _sizes(labels, some, width)
        yield from _side_by_side(some, listed, label, bar)
    if any(is_counted(short_label(line.name, line.kinds, label)) for line in listed):
        yield from paragraph(COUNTED, "dim", width)


class _Chart(NamedTuple):
    """One figure of every line: its title, its values and their texts."""

    title: str
    values: Sequence[int]
    texts: Sequence[str]
    colour: str

    @property
    def digits(self) -> int:
        """The width of the texts, or what the title needs beside the shortest bar."""
        return max(len(self.title) - _LEAST_BAR - 1, *map(len, self.texts))


def _chart(
    column: Column, read: Callable[[Figures], int], listed: Sequence[TableLine], colour: str
) -> _Chart:
    values = [read(line.figures) for line in listed]
    return _Chart(column.heading.replace("\n", " "), values, [*map(column.show, values)], colour)


def _side_by_side(
    charts: Sequence[_Chart], listed: Sequence[TableLine], label: int, bar: int
) -> Iterator[list[Segment]]:
    """Charts side by side."""
    over = TableLayout(
        [Heading("", title, left=True) for title in ("layer", *(chart.title for chart in charts))],
        [label, *(bar + 1 + chart.digits for chart in charts)],
        [0, *([2] * len(charts))],
    )
    layout = TableLayout(
        [Heading("", "", left=True), *([Heading("", "", left=True), Heading("", "")] * len(charts))],
        [label, *(size for chart in charts for size in (bar, chart.digits))],
        [0, *([2, 1] * len(charts))],
    )
    yield from over.heading_lines()
    yield layout.rule()
    for number, line in enumerate(listed):
        cells: list[Segment] = [(short_label(line.name, line.kinds, label), "cyan")]
        for chart in charts:
            value = chart.values[number]
            cells.append((draw_bar(value, max(chart.values), bar), chart.colour))
            cells.append((chart.texts[number], "" if value else "dim"))
        yield layout.line(cells)


def _width(label: int, bar: int, charts: Sequence[_Chart]) -> int:
    """The columns that charts take: before each bar are two spaces, before each figure is one."""
    return label + sum(2 + bar + 1 + chart.digits for chart in charts)


def _sizes(labels: Sequence[str], charts: Sequence[_Chart], width: int | None) -> tuple[int, int]:
    """The columns of labels and of bars: long labels are cut before bars get short, but not in a pipe."""
    label, room = max(map(cell_len, labels)), PAGE if width is None else width
    room -= _width(0, 1, charts)
    if width is not None:
        label = max(min(label, _LEAST_LABEL), min(label, room - len(charts) * _SHORT_BAR))
    return label, max(_LEAST_BAR, min((room - label) // len(charts), _LONGEST_BAR))
