"""Bars of a report's figures: for each line, and for each family of layers."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from netcalc.analysis import Figures, Report
from netcalc.render import numbers
from netcalc.render.bars import draw_bar
from netcalc.render.labels import COUNTED, is_counted, short_label
from netcalc.render.layout import Heading, Segment, TableLayout, lay_out, paragraph
from netcalc.render.table.columns import Column, chosen_columns
from netcalc.render.table.lines import TableLine, TableView, totals

_COLOURS = ("blue", "magenta", "green")
"""Of memory, parameters and FLOPs."""

_PIPED_BAR, _LONGEST_BAR, _SHORT_BAR, _LEAST_BAR = 20, 30, 8, 4
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
"""From wide to narrow."""


def bar_lines(report: Report, listed: Sequence[TableLine], width: int | None) -> Iterator[list[Segment]]:
    """The lecture's three bar charts side by side: memory, parameters, flops of each line."""
    if not listed:
        yield [("no layers", "dim")]
        return
    columns = figure_columns(report)
    values = [[read(line.figures) for _, read in columns] for line in listed]
    shown = [[column.show(value) for (column, _), value in zip(columns, row, strict=True)] for row in values]
    titles = [column.heading.replace("\n", " ") for column, _ in columns]
    digits = [
        max(len(title) - _LEAST_BAR - 1, *map(len, texts))
        for title, texts in zip(titles, zip(*shown, strict=True), strict=True)
    ]
    label, bar = _sizes([line.label for line in listed], sum(digits) + 3 * 4, width)
    largest = [max(column) for column in zip(*values, strict=True)]
    over = TableLayout(
        [Heading("", title, left=True) for title in ("layer", *titles)],
        [label, *(bar + 1 + width for width in digits)],
        [0, *([2] * 3)],
    )
    layout = TableLayout(
        [Heading("", "", left=True), *([Heading("", "", left=True), Heading("", "")] * 3)],
        [label, *(size for width in digits for size in (bar, width))],
        [0, *([2, 1] * 3)],
    )
    yield from over.heading_lines()
    yield layout.rule()
    for line, row, texts in zip(listed, values, shown, strict=True):
        cells: list[Segment] = [(short_label(line.name, line.kinds, label), "cyan")]
        for value, text, most, colour in zip(row, texts, largest, _COLOURS, strict=True):
            cells += [(draw_bar(value, most, bar), colour), (text, "" if value else "dim")]
        yield layout.line(cells)
    if any(is_counted(short_label(line.name, line.kinds, label)) for line in listed):
        yield from paragraph(COUNTED, "dim", width)


def _sizes(labels: Sequence[str], taken: int, width: int | None) -> tuple[int, int]:
    """The columns of labels and of bars: long labels are cut before bars get short."""
    label = max(map(cell_len, labels))
    if width is None:
        return label, _PIPED_BAR
    label = max(min(label, _LEAST_LABEL), min(label, width - taken - 3 * _SHORT_BAR))
    return label, max(_LEAST_BAR, min((width - taken - label) // 3, _LONGEST_BAR))


def family_lines(report: Report, listed: Sequence[TableLine], width: int | None) -> Iterator[list[Segment]]:
    """Totals by kind of layer, each with its share and a bar."""
    columns, families = family_figures(report, listed)
    counts = [(family, str(count)) for family, count, _ in families]
    figures = [pairs for _, _, pairs in families]
    for form in _FAMILY_FORMS:
        layout, rows = _family_table(form, columns, counts, figures)
        if width is None or layout.width <= width:
            break
    styles = ["cyan", *([""] if form.counted else [])]
    for colour in _COLOURS:
        styles += ["", "dim", *([colour] if form.bar else [])]
    yield from layout.heading_lines()
    for row in rows:
        yield layout.line(list(zip(row, styles, strict=True)))


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
    form: _FamilyForm,
    columns: Sequence[Column],
    counts: Sequence[tuple[str, str]],
    figures: Sequence[Sequence[tuple[int, int]]],
) -> tuple[TableLayout, list[list[str]]]:
    """The totals by kind in one form: the layout and the cells."""
    headings = [Heading("", "by kind", left=True), Heading("", "lines")][: 1 + form.counted]
    gaps = [0, 2][: 1 + form.counted]
    for column in columns:
        text = column.heading if form.stacked else column.heading.replace("\n", " ")
        headings += [Heading("", text), Heading("", ""), Heading("", "", left=True)][: 2 + bool(form.bar)]
        gaps += [2, 1, 1][: 2 + bool(form.bar)]
    rows = []
    for count, pairs in zip(counts, figures, strict=True):
        row = [*count[: 1 + form.counted]]
        for column, (part, whole) in zip(columns, pairs, strict=True):
            row += [column.show(part), numbers.percent(part, whole)]
            row += [draw_bar(part, whole or 1, form.bar)] if form.bar else []
        rows.append(row)
    layout = lay_out(headings, rows, None)
    return layout._replace(gaps=gaps), rows


def figure_columns(report: Report) -> list[tuple[Column, Callable[[Figures], int]]]:
    """The columns that add up, each with the figure that it shows."""
    chosen = chosen_columns(report, TableView())
    return [(column, column.of_figures) for column in chosen if column.of_figures is not None]
