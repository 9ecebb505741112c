"""The report as a table in a terminal: the lecture's, with totals by column and by family."""

from collections.abc import Iterable, Iterator, Sequence

from netcalc.analysis import Figures, Report
from netcalc.render.labels import COUNTED, is_counted
from netcalc.render.layout import Heading, Segment, TableLayout, lay_out, not_shown, paragraph, title_lines
from netcalc.render.table.bars import bar_lines, family_lines
from netcalc.render.table.cells import ShownTable, asked_for, shown_table
from netcalc.render.table.columns import Column
from netcalc.render.table.lines import TableLine, TableView, lines, totals
from netcalc.render.table.words import conditions_in_words, inputs_in_words, totals_in_words

HEAVY = 0.15
"""From this share of a column's total on, a figure is set in bold."""

_DROPPED = (
    (("contents", "from", "axes", "in_size", "filters", "in_channels", "input"), 32),
    (("pad", "stride", "kernel"), 24),
)
"""Columns dropped on a narrow terminal, first to last, and how short labels get before: first what others
tell, as the lines above have the input's size and the output's channels are the filters."""

_LEAST_LABEL = 12
"""The least width of labels where no column is left to be dropped."""

_WHOLE = 10**6
"""A layout cuts no label: they are shortened in their own way."""


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
    if bars:
        yield from bar_lines(report, listed, width)
    else:
        yield from _table(shown_table(report, view), view, width)
    yield []
    base = lines(report, view._replace(depth=None))
    yield from family_lines(report, base, width)
    yield []
    yield from _footer(report, view, base, width)


def _heading(report: Report, width: int | None) -> Iterator[list[Segment]]:
    graph = report.graph
    yield from title_lines((graph.name, "bold"), [f"input {inputs_in_words(graph)}"], width)
    if graph.citation:
        yield from paragraph(graph.citation, "dim", width)
    yield []


def _table(whole: ShownTable, view: TableView, width: int | None) -> Iterator[list[Segment]]:
    shown, hidden = _fitted(whole, view, width)
    everything = totals(shown.lines)
    for number, part in enumerate(_parts(shown, width)):
        layout = _laid_out(part, width)
        yield from [[]] if number else []
        yield from layout.heading_lines()
        yield layout.rule()
        yield from (layout.line([(text, "dim") for text in row]) for row in part.head)
        for line, row in zip(part.lines, part.cells, strict=True):
            cells = zip(part.columns, row, strict=True)
            yield layout.line([(text, _style(column, line, everything)) for column, text in cells])
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
    shown = whole.with_contents_cut(layout.width - width)
    kept = asked_for(view.wanted)
    for name, least in ((name, least) for names, least in _DROPPED for name in names if name not in kept):
        if _laid_out(_labelled(shown, width, least), width).width <= width:
            break
        shown = shown.without(name)
    left = [column.name for column in shown.columns]
    hidden = [_title(column) for column in whole.columns if column.name not in left]
    return _labelled(shown, width, _LEAST_LABEL), hidden


def _labelled(shown: ShownTable, width: int, least: int) -> ShownTable:
    """The table with labels as short as the width needs them, down to the least."""
    layout = _laid_out(shown, width)
    excess = layout.width - width
    return shown.with_short_labels(max(least, layout.widths[0] - excess)) if excess > 0 else shown


def _parts(shown: ShownTable, width: int | None) -> Iterable[ShownTable]:
    """The table, or parts below each other where no terminal is so wide."""
    layout = _laid_out(shown, width)
    if width is None or layout.width <= width:
        return [shown]
    return shown.parts([size + 1 for size in layout.widths], width)


def _title(column: Column) -> str:
    """A heading on one line, with its group where several columns may have it."""
    group = column.group.removesuffix(" size") if column.group != "layer" else ""
    return " ".join(f"{group} {column.heading}".split())


def _laid_out(shown: ShownTable, width: int | None) -> TableLayout:
    headings = [Heading(column.group, column.heading, column.left) for column in shown.columns]
    rows = [*shown.head, *shown.cells, shown.sums]
    layout = lay_out(headings, rows, width, least_name=_WHOLE)
    if width is not None and layout.width > width:
        short = [heading._replace(group=heading.group.removesuffix(" size")) for heading in headings]
        layout = lay_out(short, rows, width, least_name=_WHOLE)
    return layout


def _style(column: Column, line: TableLine, everything: Figures) -> str:
    if not line.row.used:
        return "dim strike"
    if column.of_figures is None:
        return "cyan" if column.name == "layer" else ""
    part, whole = column.of_figures(line.figures), column.of_figures(everything)
    if part == 0:
        return "dim"
    return "bold" if part >= HEAVY * whole else ""


def _footer(
    report: Report, view: TableView, listed: Sequence[TableLine], width: int | None
) -> Iterator[list[Segment]]:
    texts = [totals_in_words(report, listed), conditions_in_words(report, view)]
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
    for text, style in zip(texts, ["bold", "dim", "yellow", "yellow"], strict=False):
        yield from paragraph(text, style, width)
