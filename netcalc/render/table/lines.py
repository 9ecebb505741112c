"""A report's rows as the lines of a table: in-place layers share the line of the layer before them, and a
deep net folds to its blocks.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from netcalc.analysis import Figures, Report, Row, total
from netcalc.layers.axes import Axes
from netcalc.layers.convolution import Convolution
from netcalc.layers.linear import Linear
from netcalc.render.labels import whole_label
from netcalc.tensor import Shape


class TableView(NamedTuple):
    """What of a report is shown."""

    every_layer: bool = False
    """Each layer on a line of its own."""
    depth: int | None = None
    """Fold blocks below this depth of their names; None folds nothing."""
    wanted: tuple[str, ...] = ()
    """Columns by name; `+name` adds one to the default."""
    tree: bool = False
    """Each block above what it holds."""
    percent: bool = False
    """Beside each figure its share of the whole network."""


class TableLine(NamedTuple):
    """One line: a layer with the in-place layers after it, or equal blocks in a row."""

    row: Row
    """The layer, or the first one of the first block."""
    folded: tuple[Row, ...] = ()
    inside: "tuple[TableLine, ...]" = ()
    """A block's lines, those of all its repeats."""
    block: tuple[str, ...] = ()
    times: int = 1
    counted: Figures | None = None
    """Its figures; None for the sum of the lines inside."""
    path: tuple[str, ...] = ()
    """The block that the layer is in."""

    @property
    def name(self) -> str:
        """The full name of the layer or the block."""
        return ".".join(self.block) if self.inside else self.row.node.full_name

    @property
    def label(self) -> str:
        """`conv1 + relu`, or `stage2.1 x 3`."""
        if self.inside:
            return self.name if self.times == 1 else f"{self.name} x {self.times}"
        return whole_label(self.name, self.kinds)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the layers in its line after it."""
        return tuple(row.node.layer.kind for row in self.folded)

    @property
    def output_shape(self) -> Shape:
        """What the line gives."""
        return self.inside[-1].output_shape if self.inside else self.row.output_shape

    @property
    def output_axes(self) -> Axes:
        """What its axes are called."""
        return self.inside[-1].output_axes if self.inside else self.row.output_axes

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all its layers."""
        if self.inside:
            return tuple(row for inner in self.inside for row in inner.rows)
        return (self.row, *self.folded)

    @property
    def figures(self) -> Figures:
        """The figures of the line: those that are counted for it, or the sum of those inside."""
        return total(line.figures for line in self.inside) if self.counted is None else self.counted


def lines(report: Report, view: TableView = TableView()) -> tuple[TableLine, ...]:
    """The lines of a report."""
    if view.every_layer:
        listed = tuple(layer_line(report, row) for row in report.rows)
    else:
        listed = tuple(layer_line(report, *group) for group in report.groups)
    return listed if view.depth is None else tuple(_stacked(_blocks(listed, view.depth)))


def layer_line(report: Report, row: Row, *folded: Row) -> TableLine:
    """The line of a layer, with the in-place layers after it, which reuse its output."""
    together = total(each.figures for each in (row, *folded))
    counted = together._replace(output_bytes=row.figures.output_bytes)
    return TableLine(row, folded, path=report.graph.block_of(row.node), counted=counted)


def totals(listed: Iterable[TableLine]) -> Figures:
    """The sum of all lines."""
    return total(line.figures for line in listed)


def contents(line: TableLine) -> str:
    """A block's weighted layers as the papers write them: `[1x1 64, 3x3 64, 1x1 256] x 3`.

    Shortcuts are left out; inner blocks with equal text are written once, with their number.
    """
    if not line.inside:
        return ""
    depth = len(line.block)
    parts = []
    for _, members in groupby(line.inside, key=lambda inner: inner.path[: depth + 1]):
        words = [word for inner in members if (word := _weighted(inner, depth))]
        parts += [f"[{', '.join(words)}]" if len(words) > 1 else words[0]] if words else []
    stacked = ((part, len(list(alike))) for part, alike in groupby(parts))
    return ", ".join(part if times == 1 else f"{part} x {times}" for part, times in stacked)


def _weighted(line: TableLine, depth: int) -> str:
    """`3x3 64` of a convolution, the units of a linear layer; nothing of others."""
    node = line.row.node
    if any(name.startswith("shortcut") for name in line.path[depth:]):
        return ""
    if isinstance(node.layer, Convolution):
        kernel = "x".join(map(str, node.layer.kernel))
        return f"{kernel} {line.output_shape[0]}"
    return f"fc {line.output_shape[-1]}" if isinstance(node.layer, Linear) else ""


def _blocks(listed: Iterable[TableLine], depth: int) -> Iterator[TableLine]:
    """Lines with those of one block together."""
    for path, members in groupby(listed, key=lambda line: line.path[:depth]):
        inside = tuple(members)
        if len(path) == depth:
            yield TableLine(inside[0].row, inside=inside, block=path)
        else:
            yield from inside


def _stacked(listed: Iterable[TableLine]) -> Iterator[TableLine]:
    """Lines with equal blocks that follow each other as one."""
    for _, members in groupby(listed, key=_signature):
        alike = tuple(members)
        inside = tuple(inner for line in alike for inner in line.inside)
        yield alike[0]._replace(inside=inside, times=len(alike))


def _signature(line: TableLine) -> tuple[object, ...]:
    """What makes two blocks equal; a layer is equal to no other."""
    if not line.inside:
        return (line.name,)
    rows = ((row.node.layer, row.input_shapes, row.used, row.figures) for row in line.rows)
    return (line.block[:-1], *rows)
