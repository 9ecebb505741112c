"""The report in a notebook: the lecture's table, its blocks folded, with the totals by kind as bars."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from netcalc.analysis import Figures, Report
from netcalc.render import numbers
from netcalc.render.html import BRANCH, name_cell
from netcalc.render.html_table import (
    STRONG,
    DIM,
    STRUCK,
    HtmlCell,
    HtmlColumn,
    HtmlRow,
    HtmlTable,
    framed,
    paragraph,
    shown,
    table_chunks,
)
from netcalc.render.table.bars import family_figures
from netcalc.render.table.cells import cell, total_cells
from netcalc.render.table.columns import Column, chosen_columns
from netcalc.render.table.lines import TableLine, TableView, contents, lines, totals
from netcalc.render.table.text import figure_style
from netcalc.render.table.tree import Module, flattened, module_tree
from netcalc.render.table.words import footer_in_words, inputs_in_words, warnings_in_words

_VIEW = TableView(tree=True)

_STYLES = {"bold": STRONG, "dim": DIM, "dim strike": STRUCK}
"""In HTML, of the styles in a terminal."""

_COLOURS = ("#4c8dd9", "#b565c9", "#4a9e5c")
"""Of the bars of memory, parameters and FLOPs."""

_TOLD = {"from"}
"""Columns that the tree tells."""

_OPTIONS = "layer"
"""The group of the columns in whose place a block has its contents."""

_BLOCK = "font-weight:600"
_CUT = "text-align:left;overflow:hidden;text-overflow:ellipsis"


def html_chunks(report: Report) -> Iterator[str]:
    """The pieces of a `div` element: the table, totals by kind, totals, and what was counted how."""
    yield from framed(_document(report))


def _document(report: Report) -> Iterator[str]:
    graph = report.graph
    yield from table_chunks(_table(report))
    yield '<div style="height:1em"></div>'
    yield from table_chunks(_families(report))
    sums, *conditions = footer_in_words(report, TableView())
    yield paragraph(sums, STRONG)
    yield from (paragraph(text, DIM) for text in (*conditions, graph.citation) if text)
    yield from (paragraph(text, STRONG) for text in warnings_in_words(report))


def _table(report: Report) -> HtmlTable:
    """The lecture's columns; a block has its contents in place of a layer's options."""
    modules = [(branch, module) for branch, module in flattened(module_tree(report, _VIEW))]
    is_tree = any(module.line.inside for _, module in modules)
    chosen = chosen_columns(report, TableView())
    columns = [
        column
        for column in chosen
        if any(cell(column, module.line) for _, module in modules) and not (is_tree and column.name in _TOLD)
    ]
    everything = totals(lines(report))
    rows = [
        HtmlRow([*_cells(module, columns, everything)], len(branch) // BRANCH) for branch, module in modules
    ]
    sums = [HtmlCell(text) for text in total_cells(columns, everything)]
    caption = f"<b>{shown(report.graph.name)}</b> &nbsp;·&nbsp; input {shown(inputs_in_words(report.graph))}"
    return HtmlTable([_html_column(column) for column in columns], rows, sums, caption)


def _html_column(column: Column) -> HtmlColumn:
    return HtmlColumn(column.heading, column.group, column.left)


def _cells(module: Module, columns: Sequence[Column], everything: Figures) -> Iterator[HtmlCell]:
    """A row's cells."""
    line = module.line
    named = name_cell(module.label, line.name)
    yield named._replace(style=_BLOCK if line.inside else _style(columns[0], line, everything))
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
            cells += [
                HtmlCell(column.show(part)),
                share,
                HtmlCell("", f"color:{colour}", bar=part / (whole or 1)),
            ]
        rows.append(HtmlRow(cells))
    return HtmlTable(headings, rows)
