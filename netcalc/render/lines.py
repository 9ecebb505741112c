"""A report's rows as the lines of a table: an activation or a dropout stands in the line of its layer."""

from collections.abc import Iterable
from typing import NamedTuple

from netcalc.analysis import Figures, Report, Row, total


class Line(NamedTuple):
    """One line: a layer, with the activations and dropouts that follow it directly."""

    row: Row
    folded: tuple[Row, ...] = ()

    @property
    def label(self) -> str:
        """`conv1 + relu`."""
        names = (self.row.node.full_name, *(row.node.layer.kind for row in self.folded))
        return " + ".join(names)

    @property
    def figures(self) -> Figures:
        """What the line takes; what is folded in works in place on the layer's output."""
        together = total(row.figures for row in (self.row, *self.folded))
        return together._replace(output_bytes=self.row.figures.output_bytes)


def lines(report: Report, every_layer: bool = False) -> tuple[Line, ...]:
    """The lines of a report: one a layer with `every_layer`, else with what works in place folded in."""
    if every_layer:
        return tuple(map(Line, report.rows))
    groups: list[list[Row]] = []
    for row in report.rows:
        if groups and row.node.full_name in report.in_place:
            groups[-1].append(row)
        else:
            groups.append([row])
    return tuple(Line(group[0], tuple(group[1:])) for group in groups)


def totals(listed: Iterable[Line]) -> Figures:
    """The sum of all lines."""
    return total(line.figures for line in listed)
