"""The report as a table of plain data: as it is shown, or every layer with exact figures."""

from collections.abc import Iterable
from typing import Any

from netcalc.analysis import Report
from netcalc.render.table.cells import shown_table
from netcalc.render.table.columns import Column, columns
from netcalc.render.table.lines import TableLine, TableView, lines
from netcalc.render.table.words import footer_in_words
from netcalc.render.tabular import Table, TableColumn

EXACT = (
    "layer", "kind", "from", "input", "output", "filters", "kernel", "stride", "pad", "dilation", "groups",
    "params", "buffers", "macs", "other_ops", "flops", "output_bytes", "param_bytes",
    "rf", "rf_stride", "rf_padding", "axes",
)  # fmt: skip
"""The columns of the exact table unless others are wanted."""


def shown_as_table(report: Report, view: TableView = TableView()) -> Table:
    """The table as a terminal shows it, for notes, pull requests, slides and papers."""
    shown = shown_table(report, view)
    return Table(
        [_shown_column(column) for column in shown.columns],
        [*shown.head, *shown.cells],
        shown.sums,
        report.graph.name,
        report.graph.citation,
        footer_in_words(report, view),
        [*[""] * len(shown.head), *shown.branches],
    )


def exact_table(report: Report, view: TableView = TableView()) -> Table:
    """Every layer on a line of its own: integers as they are, shapes as 3x227x227.

    In a tree every block has one too, above those of its layers.
    """
    view = view._replace(every_layer=True)
    known = columns(report.convention)
    default = (*EXACT, "shares") if view.tree else EXACT
    plain = [name for name in view.wanted if not name.startswith("+")]
    names = [*(plain or default), *(name[1:] for name in view.wanted if name.startswith("+"))]
    chosen = [known[name] for name in dict.fromkeys(names)]
    listed: Iterable[TableLine] = lines(report, view._replace(depth=None))
    if view.percent or view.tree:
        from netcalc.render.table.shares import whole_of, with_percentages

        chosen = with_percentages(chosen, whole_of(report, view))
    if view.tree:
        from netcalc.render.table.tree import flattened, module_tree

        listed = (module.line for _, module in flattened(module_tree(report, view)))
    rows = ([_exact(column.value(line)) for column in chosen] for line in listed)
    return Table([TableColumn(column.name) for column in chosen], rows)


def _shown_column(column: Column) -> TableColumn:
    group = column.group.removesuffix(" size")
    group = {"input": "in", "output": "out", "layer": ""}.get(group, group)
    full = f"{group} {column.heading}"
    return TableColumn(column.name, column.heading, left=column.left, group=column.group, full_heading=full)


def _exact(value: Any) -> str | int | float | None:
    if value is None or value == "":
        return None
    if isinstance(value, tuple):
        return "x".join(f"{item[0]}+{item[1]}" if isinstance(item, tuple) else str(item) for item in value)
    return value if isinstance(value, int | float) else str(value)
