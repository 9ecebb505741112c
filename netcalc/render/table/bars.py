"""Bars of a report's figures: for each line, and for each family of layers."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from netcalc.analysis import Figures, Report
from netcalc.render import numbers
from netcalc.render.bars import draw_bar
from netcalc.render.escaping import visible
from netcalc.render.labels import COUNTED, is_counted, short_label
from netcalc.render.layout import PAGE, Heading, Segment, TableLayout, lay_out, paragraph
from netcalc.render.table.columns import Column, chosen_columns
from netcalc.render.table.lines import TableLine, TableView, totals

_COLOURS = ("blue", "magenta", "green")
"""Of memory, parameters and FLOPs."""

_LONGEST_BAR, _SHORT_BAR, _LEAST_BAR = 30, 8, 4
_LEAST_LABEL = 20
"""Labels are not cut below this for the sake of bars."""


class _FamilyForm(NamedTuple):
    """How wide the totals by kind are: the length of bars, units below their headings, numbers of lines."""

    bar: int
    stacked: bool
    counted: bool = True


_FAMILY_FORMS = (
    _FamilyForm(6, stacked=False),
    _FamilyForm(6, stacked=True),
    _FamilyForm(4, stacked=True),
    _FamilyForm(0, stacked=True),
    _FamilyForm(0, stacked=True, counted=False),
)
"""From wide to narrow. Where none fits, each figure has a table of its own, in one of the same forms."""


def bar_lines(report: Report, listed: Sequence[TableLine], width: int | None) -> Iterator[list[Segment]]:
    """The lecture's three bar charts side by side: memory, parameters, flops of each line.

    Where the figures leave no room for bars beside each other, the charts stand below each other.
    """
    if not listed:
        yield [("no layers", "dim")]
        return
    charts = [_chart(column, read, listed, colour)
              for (column, read), colour in zip(figure_columns(report), _COLOURS, strict=True)]  # fmt: skip
    labels = [visible(line.label) for line in listed]
    label, bar = _sizes(labels, charts, width)
    is_narrow = width is not None and _width(label, bar, charts) > width
    for number, some in enumerate([[chart] for chart in charts] if is_narrow else [charts]):
        yield from [[]] if number else []
        label, bar = _sizes(labels, some, width)
        yield from _chart_lines(some, listed, label, bar)
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


def _chart_lines(
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


def family_lines(report: Report, listed: Sequence[TableLine], width: int | None) -> Iterator[list[Segment]]:
    """Totals by kind of layer, each with its share and a bar."""
    columns, families = family_figures(report, listed)
    counts = [(family, str(count)) for family, count, _ in families]
    figures = [
        _FamilyFigure(column, colour, [pairs[at] for _, _, pairs in families])
        for at, (column, colour) in enumerate(zip(columns, _COLOURS, strict=True))
    ]
    together = _fitting_table(figures, counts, width)
    is_narrow = width is not None and together.layout.width > width
    tables = [_fitting_table([figure], counts, width) for figure in figures] if is_narrow else [together]
    for number, table in enumerate(tables):
        yield from [[]] if number else []
        yield from table.layout.heading_lines()
        yield from (table.layout.line(list(zip(row, table.styles, strict=True))) for row in table.rows)


class _FamilyFigure(NamedTuple):
    """A figure of every kind: each one's part, and the whole."""

    column: Column
    colour: str
    pairs: Sequence[tuple[int, int]]


class _FamilyTable(NamedTuple):
    layout: TableLayout
    rows: Sequence[Sequence[str]]
    styles: Sequence[str]


def _fitting_table(
    figures: Sequence[_FamilyFigure], counts: Sequence[tuple[str, str]], width: int | None
) -> _FamilyTable:
    """The totals by kind in the widest form that fits, or in the narrowest."""
    for form in _FAMILY_FORMS:
        table = _family_table(form, figures, counts)
        if width is None or table.layout.width <= width:
            break
    return table


def family_figures(
    report: Report, listed: Sequence[TableLine]
) -> tuple[list[Column], list[tuple[str, int, list[tuple[int, int]]]]]:
    """The columns that add up; for each family its name, its number of lines, its sums and the whole's."""
    families: dict[str, list[TableLine]] = {}
    for line in listed:
        families.setdefault(line.row.node.layer.family, []).append(line)
    columns, everything = figure_columns(report), totals(listed)
    sums = [
        (family, len(members), [(read(totals(members)), read(everything)) for _, read in columns])
        for family, members in families.items()
    ]
    return [column for column, _ in columns], sums


def _family_table(
    form: _FamilyForm, figures: Sequence[_FamilyFigure], counts: Sequence[tuple[str, str]]
) -> _FamilyTable:
    """The totals by kind in one form."""
    headings = [Heading("", "by kind", left=True), Heading("", "lines")][: 1 + form.counted]
    gaps = [0, 2][: 1 + form.counted]
    styles = ["cyan", ""][: 1 + form.counted]
    for column, colour, _ in figures:
        text = column.heading if form.stacked else column.heading.replace("\n", " ")
        headings += [Heading("", text), Heading("", ""), Heading("", "", left=True)][: 2 + bool(form.bar)]
        gaps += [2, 1, 1][: 2 + bool(form.bar)]
        styles += ["", "dim", colour][: 2 + bool(form.bar)]
    rows = []
    for number, count in enumerate(counts):
        row = [*count[: 1 + form.counted]]
        for column, _, pairs in figures:
            part, whole = pairs[number]
            row += [column.show(part), numbers.percent(part, whole)]
            row += [draw_bar(part, whole or 1, form.bar)] if form.bar else []
        rows.append(row)
    layout = lay_out(headings, rows, None)
    return _FamilyTable(layout._replace(gaps=gaps), rows, styles)


def figure_columns(report: Report) -> list[tuple[Column, Callable[[Figures], int]]]:
    """The columns that add up, each with the figure that it shows."""
    chosen = chosen_columns(report, TableView())
    return [(column, column.of_figures) for column in chosen if column.of_figures is not None]
