"""The report as CSV: one layer a line, integers as they are, shapes as 3x227x227."""

from collections.abc import Iterable, Iterator
from typing import Any

from netcalc.analysis import Report
from netcalc.render.csv import csv_document
from netcalc.render.table.columns import columns
from netcalc.render.table.lines import TableLine, TableView, lines

DEFAULT = (
    "layer", "kind", "from", "input", "output", "filters", "kernel", "stride", "pad", "dilation", "groups",
    "params", "buffers", "macs", "other_ops", "flops", "output_bytes", "param_bytes",
    "rf", "rf_stride", "rf_padding", "axes",
)  # fmt: skip


def csv_chunks(report: Report, view: TableView = TableView()) -> Iterator[str]:
    """The lines of the file, the names of the columns first.

    Every layer has its own; in a tree every block too, above those of its layers.
    """
    view = view._replace(every_layer=True)
    known = columns(report.convention)
    default = (*DEFAULT, "shares") if view.tree else DEFAULT
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
    rows = ([_text(column.value(line)) for column in chosen] for line in listed)
    return csv_document([column.name for column in chosen], rows)


def _text(value: Any) -> str | int:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "x".join(f"{item[0]}+{item[1]}" if isinstance(item, tuple) else str(item) for item in value)
    return value if isinstance(value, int) else str(value)
