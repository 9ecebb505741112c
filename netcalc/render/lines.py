"""A report's rows as the lines of a table: an activation stands in the line of its layer."""

from collections.abc import Iterable
from typing import NamedTuple

from netcalc.analysis import Figures, Report, Row, total


class Line(NamedTuple):
    """One line: a layer, with the activations that follow it directly."""

    row: Row
    activations: tuple[Row, ...] = ()

    @property
    def label(self) -> str:
        """`conv1 + relu`."""
        names = (self.row.node.full_name, *(row.node.layer.kind for row in self.activations))
        return " + ".join(names)

    @property
    def figures(self) -> Figures:
        """What the line takes; an activation works in place on its layer's output."""
        together = total(row.figures for row in (self.row, *self.activations))
        return together._replace(output_bytes=self.row.figures.output_bytes)


def lines(report: Report, every_layer: bool = False) -> tuple[Line, ...]:
    """The lines of a report: one a layer with `every_layer`, else with activations folded in."""
    if every_layer:
        return tuple(map(Line, report.rows))
    readers = _readers(report)
    folded: list[list[Row]] = []
    for row in report.rows:
        last = folded[-1][-1].node if folded else None
        if last is not None and _folds(row, last.full_name, readers):
            folded[-1].append(row)
        else:
            folded.append([row])
    return tuple(Line(group[0], tuple(group[1:])) for group in folded)


def totals(listed: Iterable[Line]) -> Figures:
    """The sum of all lines."""
    return total(line.figures for line in listed)


def _folds(row: Row, previous: str, readers: dict[str, int]) -> bool:
    """An activation folds into the layer above it when nobody else reads that layer."""
    node = row.node
    is_activation = node.layer.family == "activation" and row.output_shape == row.input_shapes[0]
    return is_activation and node.inputs == (previous,) and readers[previous] == 1


def _readers(report: Report) -> dict[str, int]:
    """How often each tensor is read, as an output of the network too."""
    readers = dict.fromkeys(report.graph.outputs, 0)
    for row in report.rows:
        for name in row.node.inputs:
            readers[name] = readers.get(name, 0) + 1
    for output in report.graph.outputs[:-1]:
        readers[output] += 1
    return readers
