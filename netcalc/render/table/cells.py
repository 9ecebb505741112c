"""The table as text, before it is laid out."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from netcalc.analysis import Figures, Report
from netcalc.render import numbers
from netcalc.render.escaping import visible
from netcalc.render.labels import short_label
from netcalc.render.layout import cut_end, cut_middle
from netcalc.render.table.columns import Column, channels_of, chosen_columns, sizes_of
from netcalc.render.table.lines import TableLine, TableView, lines, totals

_PARAMETERS = ("params", "exact_params")

_TEXTS = ("contents", "from", "input", "shares")
"""Columns of texts that may be long, beside the labels."""

_LEAST_TEXT = 24
"""The least width to which their cells are cut."""


class ShownTable(NamedTuple):
    """The table as text, before it is laid out: the same for every format."""

    columns: list[Column]
    lines: tuple[TableLine, ...]
    head: list[list[str]]
    cells: list[list[str]]
    sums: list[str]
    branches: tuple[str, ...] = ()
    """Of a tree, what stands before each name: `│  ├─ `."""

    def without(self, name: str) -> "ShownTable":
        """The table without a column."""
        return self._of([number for number, column in enumerate(self.columns) if column.name != name])

    def _of(self, kept: Sequence[int]) -> "ShownTable":
        """The table with some of its columns."""

        def pick(row: list[str]) -> list[str]:
            return [row[number] for number in kept]

        columns = [self.columns[number] for number in kept]
        return self._replace(
            columns=columns,
            head=list(map(pick, self.head)),
            cells=list(map(pick, self.cells)),
            sums=pick(self.sums),
        )

    def with_short_labels(self, room: int) -> "ShownTable":
        """The table with labels of `room` columns."""
        if self.columns[0].name != "layer":
            return self
        labels = (short_label(line.name, line.kinds, room) for line in self.lines if not line.inside)
        named = (cut_middle(line.label, room) if line.inside else next(labels) for line in self.lines)
        return self._replace(cells=[[label, *row[1:]] for label, row in zip(named, self.cells, strict=True)])

    def parts(self, fits: Callable[["ShownTable"], bool]) -> Iterator["ShownTable"]:
        """The table in parts that fit, each with the first column and another one at least."""
        kept = [0]
        for number in range(1, len(self.columns)):
            if len(kept) > 1 and not fits(self._of([*kept, number])):
                yield self._of(kept)
                kept = [0]
            kept.append(number)
        yield self._of(kept)

    def with_cut(self, name: str, excess: int) -> "ShownTable":
        """The table with a column of texts cut short, so that it is narrower by `excess` columns.

        A list is cut at its end, a name in its middle.
        """
        names = [column.name for column in self.columns]
        if name not in names or not self.cells:
            return self
        at = names.index(name)
        texts = [visible(row[at]) for row in self.cells]
        room = max(_LEAST_TEXT, max(map(cell_len, texts)) - excess)
        shown = [
            cut_end(text, room) if name == "contents" or ", " in text else cut_middle(text, room)
            for text in texts
        ]
        cells = [[*row[:at], text, *row[at + 1 :]] for row, text in zip(self.cells, shown, strict=True)]
        return self._replace(cells=cells)

    def with_texts_cut(
        self, wanted: Sequence[str], width: Callable[["ShownTable"], int], most: int
    ) -> "ShownTable":
        """The table with those columns of texts cut that were asked for, until it is no wider than `most`."""
        shown = self
        for name in _TEXTS:
            if name in asked_for(wanted):
                shown = shown.with_cut(name, max(0, width(shown) - most))
        return shown

    def without_empty(self, wanted: Sequence[str]) -> "ShownTable":
        """The table without its empty columns, but with those that were asked for."""
        shown = self
        for column, texts in zip(self.columns, zip(*self.cells, strict=True), strict=False):
            if not any(texts) and column.name not in asked_for(wanted):
                shown = shown.without(column.name)
        return shown


def shown_table(report: Report, view: TableView = TableView()) -> ShownTable:
    """The cells of the table; empty columns are left out unless they were asked for."""
    if view.tree:
        from netcalc.render.table.tree import shown_tree

        return shown_tree(report, view)
    listed = lines(report, view)
    columns = chosen_columns(report, view)
    if view.percent:
        from netcalc.render.table.shares import whole_of, with_shares

        columns = with_shares(columns, whole_of(report, view))
    has_input = view.every_layer and view.depth is None and len(report.graph.inputs) == 1
    head = [_input_cells(columns, report)] if has_input and not report.only else []
    cells = [[cell(column, line) for column in columns] for line in listed]
    shown = ShownTable(columns, listed, head, cells, total_cells(columns, totals(listed)))
    return shown.without_empty(view.wanted)


def asked_for(wanted: Sequence[str]) -> set[str]:
    """The names of the columns that were asked for."""
    return {name.removeprefix("+") for name in wanted}


def cell(column: Column, line: TableLine) -> str:
    """What a column shows of a line."""
    value = column.value(line)
    if value is None:
        return ""
    text = column.show(value)
    return _marked(text, line) if column.name in _PARAMETERS else text


def _marked(text: str, line: TableLine) -> str:
    """A count of parameters, in parentheses where they are frozen; `shared` where another layer has them."""
    figures = line.figures
    if figures.params == 0:
        return "shared" if any(row.node.shared is not None for row in line.rows) else text
    return text if figures.trainable_params else f"({text})"


def total_cells(columns: Sequence[Column], figures: Figures) -> list[str]:
    """What the columns show of a sum."""
    return [
        "total" if number == 0 else column.show(column.of_figures(figures)) if column.of_figures else ""
        for number, column in enumerate(columns)
    ]


def _input_cells(columns: Sequence[Column], report: Report) -> list[str]:
    """The input's own line, which stands above every layer's."""
    given = report.graph.inputs[0]
    shape, axes = given.type.shape, report.axes[given.name]
    channels, sizes = channels_of(shape, axes), sizes_of(shape, axes)
    shown = {
        "layer": given.name,
        "kind": "input",
        "output": str(given.type),
        "axes": ",".join(axes),
        "out_channels": "" if channels is None else str(channels),
        "out_size": "" if sizes is None else numbers.sizes(sizes),
    }
    return [shown.get(column.name, "") for column in columns]
