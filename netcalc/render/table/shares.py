"""Shares of the whole network, beside the figures."""

from collections.abc import Callable, Iterable
from functools import partial

from netcalc.analysis import Figures, Report
from netcalc.render import numbers
from netcalc.render.table.columns import Column
from netcalc.render.table.lines import TableLine, TableView, lines, totals


def whole_of(report: Report, view: TableView) -> Figures:
    """The figures of the whole network.

    A report of some kinds of layers shows every output as its own, so its whole counts all of them.
    """
    return report.whole or totals(lines(report, view))


def with_shares(columns: Iterable[Column], whole: Figures) -> list[Column]:
    """The columns, behind each that adds up its share in percent; both are headed by the figure's name."""
    found: list[Column] = []
    for column in columns:
        if column.of_figures is None:
            found.append(column)
            continue
        group, _, unit = column.heading.partition("\n")
        show = partial(numbers.share, whole=column.of_figures(whole))
        share = column._replace(name=f"{column.name}_percent", group=group, heading="%", show=show)
        found += [column._replace(group=group, heading=unit), share]
    return found


def with_percentages(columns: Iterable[Column], whole: Figures) -> list[Column]:
    """The same as numbers: `params` and behind it `params_percent`."""
    found: list[Column] = []
    for column in columns:
        found.append(column)
        if (read := column.of_figures) is not None:
            value = _percentage(read, read(whole))
            found.append(column._replace(name=f"{column.name}_percent", value=value))
    return found


def _percentage(read: Callable[[Figures], int], whole: int) -> Callable[[TableLine], float | None]:
    def value(line: TableLine) -> float | None:
        share = numbers.percentage(read(line.figures), whole)
        rounded = None if share is None else float(f"{share:.6g}")
        return int(rounded) if rounded is not None and rounded.is_integer() else rounded

    return value
