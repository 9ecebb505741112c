"""The report in a notebook: the lecture's table, its blocks folded, with the totals by kind as bars."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from netcalc.analysis import Figures, Report
from netcalc.render import numbers
from netcalc.render.html import html_table, level_of, name_cell
from netcalc.render.html_cells import DIM, STRONG, STRUCK, HtmlCell, HtmlColumn, HtmlRow, HtmlTable, shown
from netcalc.render.html_table import framed, paragraph, table_chunks
from netcalc.render.table.cells import asked_for, cell, total_cells
from netcalc.render.table.columns import Column, chosen_columns
from netcalc.render.table.families import family_figures, figure_columns
from netcalc.render.table.lines import TableLine, TableView, contents, lines, totals
from netcalc.render.table.tabular import shown_as_table
from netcalc.render.table.text import figure_style
from netcalc.render.table.tree import Module, flattened, module_tree, tree_view
from netcalc.render.table.words import footer_in_words, inputs_in_words, warnings_in_words

_STYLES = {"bold": STRONG, "dim": DIM, "dim strike": STRUCK}
"""In HTML, of the styles in a terminal."""

_COLOURS = ("#4c8dd9", "#b565c9", "#4a9e5c")
"""Of the bars of memory, parameters and FLOPs."""

_TOLD = "from"
"""A column that is left out where a tree tells what reads what."""

_OPTIONS = "layer"
"""The group of the columns in whose place a block has its contents."""

_CUT = "text-align:left;padding-left:1.6em;overflow:hidden;text-overflow:ellipsis"


def html_chunks(report: Report, view: TableView = TableView(), bars: bool = False) -> Iterator[str]:
    """The pieces of a `div` element: the table, totals by kind, totals, and what was counted how."""
    yield from framed(_document(report, view, bars))


def _document(report: Report, view: TableView, bars: bool) -> Iterator[str]:
    graph = report.graph
    caption = f"<b>{shown(graph.name)}</b> &nbsp;·&nbsp; input {shown(inputs_in_words(graph))}"
    if bars:
        yield from table_chunks(_charts(report, view, caption))
    elif view._replace(wanted=()) == TableView():
        yield from table_chunks(_lecture_table(report, view, caption))
    else:
        yield from table_chunks(html_table(shown_as_table(report, view), caption))
    yield '<div style="height:1em"></div>'
    yield from table_chunks(_families(report))
    sums, *conditions = footer_in_words(report, view)
    yield paragraph(sums, STRONG)
    yield from (paragraph(text, DIM) for text in (*conditions, graph.citation) if text)
    yield from (paragraph(text, STRONG) for text in warnings_in_words(report))


def _lecture_table(report: Report, view: TableView, caption: str) -> HtmlTable:
    """The lecture's columns for a tree; a block has its contents in place of a layer's options."""
    modules = list(flattened(module_tree(report, view._replace(tree=True))))
    is_tree, kept = any(module.children for _, module in modules), {"layer", *asked_for(view.wanted)}
    columns = [
        column
        for column in chosen_columns(report, tree_view(view))
        if column.name in kept
        or (
            not (is_tree and column.name == _TOLD) and any(cell(column, module.line) for _, module in modules)
        )
    ]
    everything = totals(lines(report))
    rows = [HtmlRow([*_cells(module, columns, everything)], level_of(branch)) for branch, module in modules]
    sums = [HtmlCell(text) for text in total_cells(columns, everything)]
    return HtmlTable([_html_column(column) for column in columns], rows, sums, caption)


def _html_column(column: Column) -> HtmlColumn:
    return HtmlColumn(column.heading, column.group, column.left)


def _cells(module: Module, columns: Sequence[Column], everything: Figures) -> Iterator[HtmlCell]:
    """A row's cells."""
    line, groups = module.line, {column.group for column in columns}
    is_told = not module.like or _OPTIONS in groups
    named = name_cell(module.label if is_told else f"{module.label} (like {module.like})", line.name)
    yield named._replace(style=_style(columns[0], line, everything))
    for group, members in groupby(columns[1:], key=lambda column: column.group):
        listed = list(members)
        if line.inside and group == _OPTIONS:
            yield HtmlCell(_held(module), f"{_CUT};{DIM}", contents(line), len(listed))
        else:
            yield from (HtmlCell(cell(column, line), _style(column, line, everything)) for column in listed)


def _held(module: Module) -> str:
    """What a block holds: its weighted layers, or the block that it equals."""
    return f"like {module.like}" if module.like else contents(module.line)


def _style(column: Column, line: TableLine, everything: Figures) -> str:
    return _STYLES.get(figure_style(column, line, everything), "")


def _families(report: Report) -> HtmlTable:
    """Totals by kind, each with its share and a bar."""
    columns, families = family_figures(report, lines(report))
    headings = [HtmlColumn("by kind", left=True), HtmlColumn("lines")]
    for column in columns:
        group, _, unit = column.heading.partition("\n")
        headings += [HtmlColumn(unit, group), HtmlColumn("%", group), HtmlColumn("", group, left=True)]
    rows = []
    for family, count, pairs in families:
        cells = [HtmlCell(family), HtmlCell(str(count))]
        for column, colour, (part, whole) in zip(columns, _COLOURS, pairs, strict=True):
            share = HtmlCell(numbers.percent(part, whole), DIM)
            cells += [HtmlCell(column.show(part)), share, _bar(part, whole, colour)]
        rows.append(HtmlRow(cells))
    return HtmlTable(headings, rows)


def _charts(report: Report, view: TableView, caption: str) -> HtmlTable:
    """The lecture's bar charts side by side: memory, parameters and FLOPs of each line."""
    columns, listed = figure_columns(report), lines(report, view)
    headings = [HtmlColumn("layer", left=True)]
    for column, _ in columns:
        group, _, unit = column.heading.partition("\n")
        headings += [HtmlColumn(unit, group), HtmlColumn("", group, left=True)]
    largest = [max((read(line.figures) for line in listed), default=0) for _, read in columns]
    rows = []
    for line in listed:
        cells = [name_cell(line.label, line.label)]
        for (column, read), most, colour in zip(columns, largest, _COLOURS, strict=True):
            value = read(line.figures)
            cells += [HtmlCell(column.show(value)), _bar(value, most, colour)]
        rows.append(HtmlRow(cells))
    return HtmlTable(headings, rows, caption=caption)


def _bar(part: int, whole: int, colour: str) -> HtmlCell:
    return HtmlCell("", f"color:{colour}", bar=part / (whole or 1))
