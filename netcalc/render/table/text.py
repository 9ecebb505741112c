"""The report as a table in a terminal: the lecture's, with totals by column and by family."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from netcalc.analysis import Figures, Report
from netcalc.render.labels import COUNTED, is_counted
from netcalc.render.layout import (
    WHOLE_NAME,
    Heading,
    Segment,
    TableLayout,
    arranged,
    column_widths,
    not_shown,
    paragraph,
    title_lines,
)
from netcalc.render.table.cells import ShownTable, asked_for, shown_table
from netcalc.render.table.columns import Column
from netcalc.render.table.families import family_lines
from netcalc.render.table.lines import TableLine, TableView, lines, totals
from netcalc.render.table.words import footer_in_words, inputs_in_words, warnings_in_words

HEAVY = 0.15
"""From this share of a column's total on, a figure is set in bold."""

_DROPPED = (
    (("contents", "from", "axes", "in_size", "filters", "in_channels", "input"), 32),
    (("groups", "dilation", "pad", "stride", "kernel"), 24),
)
"""Columns dropped on a narrow terminal, first to last, and how short labels get before: first what others
tell, as the lines above have the input's size and the output's channels are the filters."""

_LEAST_LABEL = 12
"""The least width of labels where no column is left to be dropped."""

_LABEL_OF_PARTS = 24
"""The width of labels in a table that goes on below itself."""


def table_lines(
    report: Report,
    view: TableView = TableView(),
    *,
    bars: bool = False,
    width: int | None = None,
) -> Iterator[list[Segment]]:
    """The whole view: heading, table or bars, totals by family, and what was counted how."""
    listed = lines(report, view)
    yield from _heading(report, width)
    if view.tree:
        from netcalc.render.table.tree_text import tree_lines

        yield from tree_lines(report, view, width)
    elif bars:
        from netcalc.render.table.charts import chart_lines

        yield from chart_lines(report, listed, width)
    else:
        yield from _table(shown_table(report, view), view, width)
    yield []
    yield from family_lines(report, lines(report, view._replace(depth=None)), width)
    yield []
    yield from _footer(report, view, width)


def _heading(report: Report, width: int | None) -> Iterator[list[Segment]]:
    graph = report.graph
    facts = [f"input {inputs_in_words(graph)}"]
    if len(graph.outputs) > 1:
        facts.append(f"outputs {', '.join(f'{name} {graph.types[name]}' for name in graph.outputs)}")
    yield from title_lines((graph.name, "bold"), facts, width)
    if graph.citation:
        yield from paragraph(graph.citation, "dim", width)
    yield []


def _table(whole: ShownTable, view: TableView, width: int | None) -> Iterator[list[Segment]]:
    shown, hidden = _fitted(whole, view, width)
    everything = totals(shown.lines)
    for number, part in enumerate(parts_of(shown, _laid_out, width)):
        layout = _laid_out(part, width)
        yield from [[]] if number else []
        yield from layout.heading_lines()
        yield layout.rule()
        yield from (layout.line([(text, "dim") for text in row]) for row in part.head)
        for line, row in zip(part.lines, part.cells, strict=True):
            cells = zip(part.columns, row, strict=True)
            yield layout.line([(text, figure_style(column, line, everything)) for column, text in cells])
        if any(part.sums[1:]):
            yield layout.rule()
            yield layout.line([(text, "bold") for text in part.sums])
    if any(is_counted(label) for label, *_ in shown.cells):
        yield from paragraph(COUNTED, "dim", width)
    if hidden:
        yield from not_shown(hidden, width)


def _fitted(whole: ShownTable, view: TableView, width: int | None) -> tuple[ShownTable, list[str]]:
    """The table as it fits a width, and the headings of the columns that it does without."""
    layout = _laid_out(whole, width)
    if width is None or layout.width <= width:
        return whole, []
    shown = whole.with_cut("contents", layout.width - width)
    sizes = dict(zip((column.name for column in shown.columns), _sizes(shown), strict=True))
    kept = asked_for(view.wanted)
    for name, least in ((name, least) for names, least in _DROPPED for name in names if name not in kept):
        if _arranged(shown.columns, sizes, width, least).width <= width:
            break
        shown = shown.without(name)
    hidden = [_title(column) for column in whole.columns if column not in shown.columns]
    shown = shown.with_texts_cut(
        view.wanted, lambda part: _laid_out(part, width, _LABEL_OF_PARTS).width, width
    )
    layout = _laid_out(shown, width, _LEAST_LABEL)
    label = layout.widths[0] if layout.width <= width else _LABEL_OF_PARTS
    return shown.with_short_labels(label), hidden


def parts_of(
    shown: ShownTable, lay_out: Callable[[ShownTable, int | None], TableLayout], width: int | None
) -> Iterable[ShownTable]:
    """The table, or parts below each other where no terminal is so wide."""
    if width is None or lay_out(shown, width).width <= width:
        return [shown]
    return shown.parts(lambda part: lay_out(part, width).width <= width)


def _title(column: Column) -> str:
    """A heading on one line, with its group where several columns may have it."""
    group = column.group.removesuffix(" size") if column.group != "layer" else ""
    return " ".join(f"{group} {column.heading}".split())


def _laid_out(shown: ShownTable, width: int | None, least_label: int = WHOLE_NAME) -> TableLayout:
    """The layout of a table whose labels are as they are to be shown, unless they may be cut."""
    sizes = dict(zip((column.name for column in shown.columns), _sizes(shown), strict=True))
    return _arranged(shown.columns, sizes, width, least_label)


def _sizes(shown: ShownTable) -> list[int]:
    return column_widths(_headings(shown.columns), [*shown.head, *shown.cells, shown.sums])


def _arranged(
    columns: Sequence[Column], sizes: Mapping[str, int], width: int | None, least_label: int
) -> TableLayout:
    """Columns side by side; where there is no room, shorter names of groups, then shorter labels."""
    headings = _headings(columns)
    listed = [sizes[column.name] for column in columns]
    layout = arranged(headings, listed, width, WHOLE_NAME)
    if width is not None and layout.width > width:
        short = [heading._replace(group=heading.group.removesuffix(" size")) for heading in headings]
        layout = arranged(short, listed, width, least_label)
    return layout


def _headings(columns: Sequence[Column]) -> list[Heading]:
    return [Heading(column.group, column.heading, column.left) for column in columns]


def figure_style(column: Column, line: TableLine, everything: Figures) -> str:
    """The style of a cell: bold for a large part of the column's total, struck out where nothing needs it."""
    if not any(row.used for row in line.rows):
        return "dim strike"
    if column.of_figures is None:
        return "cyan" if column.name == "layer" else ""
    part, whole = column.of_figures(line.figures), column.of_figures(everything)
    if part == 0:
        return "dim"
    return "bold" if part >= HEAVY * whole else ""


def _footer(report: Report, view: TableView, width: int | None) -> Iterator[list[Segment]]:
    sums, *conditions = footer_in_words(report, view)
    yield from paragraph(sums, "bold", width)
    for text in conditions:
        yield from paragraph(text, "dim", width)
    for text in warnings_in_words(report):
        yield from paragraph(text, "yellow", width)
