"""What can be asked of a table: columns and kinds of layers that exist, and shares of figures."""

from collections.abc import Sequence

from netcalc.analysis import Report
from netcalc.diagnostics import ArgumentError, suggestion
from netcalc.render.table.columns import Column, columns
from netcalc.render.table.lines import TableView


def require_columns(report: Report, view: TableView) -> None:
    """Raise ArgumentError for a column that does not exist, and for shares of columns without a total."""
    known = columns(report.convention)
    for name in view.wanted:
        if name.removeprefix("+") not in known:
            hint = suggestion(name, known, f"there are {', '.join(known)}.")
            raise ArgumentError("columns", f"there is no column {name!r}; {hint}")
    if view.percent and view.wanted:
        _require_figures(known, view.wanted)


def _require_figures(known: dict[str, Column], wanted: Sequence[str]) -> None:
    sums = [name for name, column in known.items() if column.of_figures is not None]
    if not any(name.startswith("+") or name in sums for name in wanted):
        raise ArgumentError("percent", f"none of the columns has a total; add one of {', '.join(sums)}")


def require_kinds(names: Sequence[str]) -> None:
    """Raise ArgumentError for a name of no kind and no family of layers."""
    from netcalc.layers import LAYERS

    known = [*LAYERS, *dict.fromkeys(layer.family for layer in LAYERS.values())]
    for name in names:
        if name not in known:
            hint = suggestion(name, known, "netcalc layers lists them.")
            raise ArgumentError("only", f"there is no kind of layer {name!r}; {hint}")
