"""The tree of blocks in a terminal."""

from collections.abc import Iterator

from netcalc.analysis import Report
from netcalc.render.layout import Heading, Segment, TableLayout, lay_out, not_shown
from netcalc.render.table.cells import ShownTable, asked_for
from netcalc.render.table.lines import TableView, lines, totals
from netcalc.render.table.text import figure_style, parts_of
from netcalc.render.table.tree import shown_tree, without_kind

_DROPPABLE = ("contents", "axes", "from", "input", "shares", "kind", "output")
"""Columns dropped on a narrow terminal, first to last."""


def tree_lines(report: Report, view: TableView, width: int | None) -> Iterator[list[Segment]]:
    """The headings, a line for each module, and the totals."""
    shown, layout, hidden = _fitted(shown_tree(report, view), view, width)
    everything = totals(lines(report, view))
    for number, part in enumerate(parts_of(shown, _layout, width)):
        layout = _layout(part, width)
        yield from [[]] if number else []
        yield from layout.heading_lines()
        yield layout.rule()
        for branch, line, row in zip(part.branches, part.lines, part.cells, strict=True):
            cells = zip(part.columns, row, strict=True)
            styled = [(text, figure_style(column, line, everything)) for column, text in cells]
            yield _with_dim_branch(layout.line(styled), len(branch))
        if any(part.sums[1:]):
            yield layout.rule()
            yield layout.line([(text, "bold") for text in part.sums])
    if hidden:
        yield from not_shown(hidden, width)


def _with_dim_branch(segments: list[Segment], length: int) -> list[Segment]:
    """A line whose first `length` characters, the lines of the tree, stand back."""
    (text, style), *rest = segments
    return [(text[:length], "dim"), (text[length:], style), *rest] if length else segments


def _fitted(
    shown: ShownTable, view: TableView, width: int | None
) -> tuple[ShownTable, TableLayout, list[str]]:
    """The tree as it fits a width, its layout, and the headings of the columns that it does without."""
    hidden: list[str] = []
    found = _laid_out(shown, width)
    if width is not None and found[1].width > width:
        shown = shown._replace(branches=tuple(map(_narrow, shown.branches)))
        found = _laid_out(shown, width)
    for name in _DROPPABLE:
        if width is None or found[1].width <= width:
            break
        column = next((column for column in shown.columns if column.name == name), None)
        if column is not None and name not in asked_for(view.wanted):
            hidden.append(column.heading)
            shown = without_kind(shown) if name == "kind" else shown.without(name)
            found = _laid_out(shown, width)
    if width is not None and found[1].width > width:
        shown = shown.with_texts_cut(view.wanted, lambda part: _laid_out(part, width)[1].width, width)
        found = _laid_out(shown, width)
    return *found, hidden


def _laid_out(shown: ShownTable, width: int | None) -> tuple[ShownTable, TableLayout]:
    """The tree with its lines drawn, and its layout."""
    pairs = zip(shown.branches, shown.cells, strict=True)
    drawn = shown._replace(cells=[[branch + row[0], *row[1:]] for branch, row in pairs])
    return drawn, _layout(drawn, width)


def _layout(drawn: ShownTable, width: int | None) -> TableLayout:
    """A layout that cuts no name below two fifths of the width."""
    headings = [Heading(column.group, column.heading, column.left) for column in drawn.columns]
    least = max(24, (width or 0) * 2 // 5)
    return lay_out(headings, [*drawn.cells, drawn.sums], width, least)


def _narrow(branch: str) -> str:
    """Two characters a level in place of three."""
    return "".join(branch[at] + " " for at in range(0, len(branch), 3))
