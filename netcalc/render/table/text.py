"""The report as a table in a terminal: the lecture's, with totals by column and by family."""

from collections.abc import Iterator

from netcalc.analysis import Figures, Report
from netcalc.render.layout import Heading, Segment, TableLayout, lay_out, paragraph
from netcalc.render.table.bars import bar_lines, family_lines
from netcalc.render.table.cells import ShownTable, asked_for, shown_table
from netcalc.render.table.columns import Column
from netcalc.render.table.lines import TableLine, TableView, lines, totals
from netcalc.render.table.words import footer_in_words, inputs_in_words

HEAVY = 0.15
"""From this share of a column's total on, a figure is set in bold."""

_DROPPABLE = (
    "contents",
    "from",
    "axes",
    "pad",
    "stride",
    "in_size",
    "in_channels",
    "input",
    "groups",
    "dilation",
    "kernel",
    "filters",
)
"""Columns dropped on a narrow terminal, first to last."""


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
        yield from bar_lines(report, listed, width)
    else:
        yield from _table(shown_table(report, view), view, width)
    yield []
    yield from family_lines(report, lines(report, view._replace(depth=None)))
    yield []
    yield from _footer(report, view, width)


def _heading(report: Report, width: int | None) -> Iterator[list[Segment]]:
    graph = report.graph
    yield [(graph.name, "bold"), ("  ", ""), (f"·  input {inputs_in_words(graph)}", "")]
    if graph.citation:
        yield from paragraph(graph.citation, "dim", width or 1000)
    yield []


def _table(shown: ShownTable, view: TableView, width: int | None) -> Iterator[list[Segment]]:
    shown, layout, hidden = _fitted(shown, view, width)
    yield from layout.heading_lines()
    yield layout.rule()
    yield from (layout.line([(text, "dim") for text in row]) for row in shown.head)
    everything = totals(shown.lines)
    for line, row in zip(shown.lines, shown.cells, strict=True):
        cells = zip(shown.columns, row, strict=True)
        yield layout.line([(text, figure_style(column, line, everything)) for column, text in cells])
    yield layout.rule()
    yield layout.line([(text, "bold") for text in shown.sums])
    if hidden:
        yield from paragraph(f"not shown at {width} columns: {', '.join(hidden)}", "dim", width)


def _fitted(
    shown: ShownTable, view: TableView, width: int | None
) -> tuple[ShownTable, TableLayout, list[str]]:
    """The table as it fits a width, its layout, and the headings of the columns that it does without."""
    hidden: list[str] = []
    layout = _laid_out(shown, width)
    if width is not None and layout.width > width:
        shown = shown.with_short_labels()
        layout = _laid_out(shown, width)
    if width is not None and layout.width > width:
        shown = shown.with_contents_cut(layout.width - width)
        layout = _laid_out(shown, width)
    for name in _DROPPABLE:
        column = next((column for column in shown.columns if column.name == name), None)
        if width is None or layout.width <= width:
            break
        if column is not None and name not in asked_for(view.wanted):
            hidden.append(f"{column.group} {column.heading}".strip())
            shown = shown.without(name)
            layout = _laid_out(shown, width)
    return shown, layout, hidden


def _laid_out(shown: ShownTable, width: int | None) -> TableLayout:
    headings = [Heading(column.group, column.heading, column.left) for column in shown.columns]
    rows = [*shown.head, *shown.cells, shown.sums]
    layout = lay_out(headings, rows, width)
    if width is not None and layout.width > width:
        short = [heading._replace(group=heading.group.removesuffix(" size")) for heading in headings]
        layout = lay_out(short, rows, width)
    return layout


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
    texts = []
    unused = sorted(report.graph.unused)
    if unused:
        texts.append(
            f"no output depends on {', '.join(unused[:8])}{' and others' if len(unused) > 8 else ''}"
        )
    misaligned = [
        row.node.full_name for row in report.rows if row.receptive_field and not row.receptive_field.aligned
    ]
    if misaligned:
        texts.append(f"paths with differently centred receptive fields join in {', '.join(misaligned[:8])}")
    for text in texts:
        yield from paragraph(text, "yellow", width)
