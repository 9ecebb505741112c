"""Graph to Report: the parameters, operations and bytes of each layer, in integers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import NamedTuple, Self

from netcalc.analysis.axes import axis_names
from netcalc.analysis.conventions import CONVENTIONS, Convention
from netcalc.analysis.receptive_field import Field, receptive_fields
from netcalc.diagnostics import require_choice, whole_number
from netcalc.graph import Graph, Node
from netcalc.layers import Layer
from netcalc.layers.axes import Axes
from netcalc.tensor import DTYPES, DType, FrozenDict, Shape, TensorType

MOST_SAMPLES = 2**31 - 1
"""The largest batch."""


class Figures(NamedTuple):
    """Counts of one layer, or sums over several. Operations and output bytes are for the whole batch."""

    params: int = 0
    """Learnable parameters, frozen ones included."""
    trainable_params: int = 0
    """Parameters that are not frozen."""
    buffers: int = 0
    """Elements of state that is not learned, such as running statistics."""
    macs: int = 0
    other_ops: int = 0
    flops: int = 0
    """By the report's convention."""
    output_bytes: int = 0
    param_bytes: int = 0

    def plus(self, other: "Figures") -> "Figures":
        return Figures(*map(int.__add__, self, other))

    def minus(self, other: "Figures") -> "Figures":
        return Figures(*map(int.__sub__, self, other))


class Row(NamedTuple):
    """One layer of the report; shapes exclude the batch axis."""

    node: Node
    input_shapes: tuple[Shape, ...]
    figures: Figures
    receptive_field: Field | None
    """None where each output depends on the whole input."""
    used: bool
    """Whether an output of the network depends on it."""
    input_axes: tuple[Axes, ...]
    """The names of the axes of its inputs."""
    output_axes: Axes

    @property
    def output_shape(self) -> Shape:
        return self.node.output.shape


@dataclass(frozen=True, repr=False)
class Report:
    """The figures of every layer in the graph's order, with the conditions of counting."""

    graph: Graph
    rows: tuple[Row, ...]
    convention: Convention
    batch: int
    dtype: DType
    only: tuple[str, ...] = ()
    """The kinds or families that the rows are restricted to; empty for all."""
    whole: Figures | None = None
    """The sum of all rows of the network, where `rows` are only some of them."""

    def restricted(self, only: tuple[str, ...]) -> Self:
        """The report with only the rows of some kinds or families of layers."""
        rows = tuple(row for row in self.rows if {row.node.layer.kind, row.node.layer.family} & set(only))
        return replace(self, rows=rows, only=only, whole=self.whole or self.totals)

    @cached_property
    def totals(self) -> Figures:
        """The sum of all rows."""
        return total(row.figures for row in self.rows)

    @cached_property
    def by_family(self) -> Mapping[str, Figures]:
        """The sums of each family of layers, in order of first appearance."""
        families: dict[str, list[Figures]] = {}
        for row in self.rows:
            families.setdefault(row.node.layer.family, []).append(row.figures)
        return FrozenDict((family, total(figures)) for family, figures in families.items())

    @cached_property
    def in_place(self) -> frozenset[str]:
        """The full names of the layers that can overwrite their input, of which they are the only reader."""
        names, above = set(), ""
        for row in self.rows:
            layer, reads = row.node.layer, row.node.inputs
            if layer.overwrites_input and reads == (above,) and self.graph.only_reader(above) is not None:
                names.add(row.node.full_name)
            above = row.node.full_name
        return frozenset(names)

    @property
    def groups(self) -> tuple[tuple[Row, ...], ...]:
        """The rows in order, each layer with those after it that work in place on its output."""
        groups: list[list[Row]] = []
        for row in self.rows:
            if groups and row.node.full_name in self.in_place:
                groups[-1].append(row)
            else:
                groups.append([row])
        return tuple(map(tuple, groups))

    @cached_property
    def axes(self) -> Mapping[str, Axes]:
        """The names of the axes of each tensor, by the full name of its input or layer."""
        return FrozenDict(axis_names(self.graph))

    def held(self, row: Row) -> Figures:
        """A row's figures, without output bytes if the layer works in place."""
        return row.figures._replace(output_bytes=0) if row.node.full_name in self.in_place else row.figures


def total(figures: Iterable[Figures]) -> Figures:
    """The sum of figures."""
    return reduce(Figures.plus, figures, Figures())


def require_batch(batch: int) -> int:
    """A batch as an int; raises ValueError unless it is 1 or more, and 31 bits hold it."""
    return whole_number("batch", batch, 1, MOST_SAMPLES)


def require_dtype(dtype: str) -> None:
    """Raise ValueError for an unknown element type."""
    require_choice("dtype", dtype, DTYPES)


def require_convention(convention: str) -> None:
    """Raise ValueError for an unknown convention."""
    require_choice("convention", convention, CONVENTIONS)


def analyze(graph: Graph, batch: int = 1, dtype: str = "float32", convention: str = "lecture") -> Report:
    """The report of a graph for a batch size, an element type and a convention.

    Raises ValueError for a batch below 1, and for an unknown element type or convention.
    """
    batch = require_batch(batch)
    require_dtype(dtype)
    require_convention(convention)
    counter = _FigureCounter(batch, DTYPES[dtype], CONVENTIONS[convention])
    rows, axes = [], axis_names(graph)
    for node, field in zip(graph.nodes, receptive_fields(graph, axes), strict=True):
        types = graph.input_types(node)
        shapes = tuple(type.shape for type in types)
        figures, used = counter.figures(node, types), node.full_name not in graph.unused
        read = tuple(axes[name] for name in node.inputs)
        rows.append(Row(node, shapes, figures, field, used, read, axes[node.full_name]))
    return Report(graph, tuple(rows), counter.convention, batch, counter.dtype)


class _FigureCounter:
    """Counts figures, of equal layers on equal inputs only once."""

    def __init__(self, batch: int, dtype: DType, convention: Convention) -> None:
        self.batch = batch
        self.dtype = dtype
        self.convention = convention
        self._known: dict[tuple[Layer, tuple[TensorType, ...], bool, bool], Figures] = {}

    def figures(self, node: Node, types: tuple[TensorType, ...]) -> Figures:
        key = (node.layer, types, node.shared is None, node.is_frozen)
        if (known := self._known.get(key)) is None:
            known = self._known[key] = self._count(node, types)
        return known

    def _count(self, node: Node, types: tuple[TensorType, ...]) -> Figures:
        cost = node.layer.cost(types, node.output)
        own = node.params if node.shared is None else ()
        params = sum(param.numel for param in own if not param.buffer)
        buffers = sum(param.numel for param in own if param.buffer)
        return Figures(
            params=params,
            trainable_params=sum(param.numel for param in own if param.trainable),
            buffers=buffers,
            macs=cost.macs * self.batch,
            other_ops=cost.other_ops * self.batch,
            flops=self.convention.flops(node.layer, cost) * self.batch,
            output_bytes=node.output.numel * self.dtype.itemsize * self.batch,
            param_bytes=params * self.dtype.itemsize,
        )
