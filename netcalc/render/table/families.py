"""Totals by kind of layer, each with its share and a bar."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from netcalc.analysis import Figures, Report
from netcalc.render import numbers
from netcalc.render.bars import draw_bar
from netcalc.render.layout import Heading, Segment, TableLayout, lay_out
from netcalc.render.table.columns import Column, chosen_columns
from netcalc.render.table.lines import TableLine, TableView, totals

COLOURS = ("blue", "magenta", "green")
"""Of memory, parameters and FLOPs."""


class _Form(NamedTuple):
    """How wide the totals by kind are: the length of bars, units below their headings, numbers of lines."""

    bar: int
    stacked: bool
    counted: bool = True


_FORMS = (
    _Form(6, stacked=False),
    _Form(6, stacked=True),
    _Form(4, stacked=True),
    _Form(0, stacked=True),
    _Form(0, stacked=True, counted=False),
)
"""From wide to narrow. Where none fits, each figure has a table of its own, in one of the same forms."""


def family_lines(report: Report, listed: Sequence[TableLine], width: int | None) -> Iterator[list[Segment]]:
    """Totals by kind of layer, each with its share and a bar."""
    columns, families = family_figures(report, listed)
    counts = [(family, str(count)) for family, count, _ in families]
    figures = [
        _Figure(column, colour, [pairs[at] for _, _, pairs in families])
        for at, (column, colour) in enumerate(zip(columns, COLOURS, strict=True))
    ]
    together = _fitting_table(figures, counts, width)
    is_narrow = width is not None and together.layout.width > width
    tables = [_fitting_table([figure], counts, width) for figure in figures] if is_narrow else [together]
    for number, table in enumerate(tables):
        yield from [[]] if number else []
        yield from table.layout.heading_lines()
        yield from (table.layout.line(list(zip(row, table.styles, strict=True))) for row in table.rows)


class _Figure(NamedTuple):
    """A figure of every kind: each one's part, and the whole."""

    column: Column
    colour: str
    pairs: Sequence[tuple[int, int]]


class _Table(NamedTuple):
    layout: TableLayout
    rows: Sequence[Sequence[str]]
    styles: Sequence[str]


def _fitting_table(
    figures: Sequence[_Figure], counts: Sequence[tuple[str, str]], width: int | None
) -> _Table:
    """The totals by kind in the widest form that fits, or in the narrowest."""
    for form in _FORMS:
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
    sums = []
    for family, members in families.items():
        together = totals(members)
        sums.append((family, len(members), [(read(together), read(everything)) for _, read in columns]))
    return [column for column, _ in columns], sums


def _family_table(form: _Form, figures: Sequence[_Figure], counts: Sequence[tuple[str, str]]) -> _Table:
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
    return _Table(layout._replace(gaps=gaps), rows, styles)


def figure_columns(report: Report) -> list[tuple[Column, Callable[[Figures], int]]]:
    """The columns that add up, each with the figure that it shows."""
    chosen = chosen_columns(report, TableView())
    return [(column, column.of_figures) for column in chosen if column.of_figures is not None]
