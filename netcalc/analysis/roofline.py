"""How long a network takes at least: the roofline bound of each layer, of a training step, of a training.

After Williams, Waterman and Patterson, "Roofline: an insightful visual performance model", 2009: work
takes no less than its operations at the device's peak, and no less than the bytes that it has to move
at full bandwidth. A layer reads its inputs and its weights and writes its output, each once; what works
in place happens while its layer's output is at hand, and a view moves nothing.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple

from netcalc.analysis.devices import Device
from netcalc.analysis.report import Report, Row, analyze
from netcalc.graph import Graph
from netcalc.tensor import Shape

_VIEWS = frozenset({
    "identity", "flatten", "reshape", "permute", "squeeze", "unsqueeze", "crop", "slice", "split",
})  # fmt: skip
"""Layers whose output is another look at their input."""

_PASSED_ON = frozenset({"add", "concat"})
"""Layers whose inputs' gradients are the output's, or pieces of it."""


class Work(NamedTuple):
    """Operations, a multiply-add being two, and the bytes that have to be moved for them."""

    operations: int = 0
    bytes: int = 0

    def plus(self, other: "Work") -> "Work":
        return Work(self.operations + other.operations, self.bytes + other.bytes)

    @property
    def intensity(self) -> float | None:
        """Operations a byte; None where nothing is moved."""
        return self.operations / self.bytes if self.bytes else None


class LayerWork(NamedTuple):
    """A layer with what follows it in place, and its work on the way there and back."""

    rows: tuple[Row, ...]
    forward: Work
    backward: Work


@dataclass(frozen=True)
class Roofline:
    """The work of a network and what a device needs for it at least; times are in seconds."""

    report: Report
    """By the convention `flops`, in the type that elements have in memory."""
    device: Device
    dtype: str
    """The type that is computed in."""
    layers: tuple[LayerWork, ...]

    def seconds(self, work: Work) -> float:
        """The least time for a piece of work."""
        return max(self._compute_seconds(work), self._memory_seconds(work))

    def is_memory_bound(self, work: Work) -> bool:
        """Whether moving bytes takes longer than computing."""
        return self._memory_seconds(work) > self._compute_seconds(work)

    @cached_property
    def forward_seconds(self) -> float:
        return sum(self.seconds(layer.forward) for layer in self.layers)

    @cached_property
    def backward_seconds(self) -> float:
        return sum(self.seconds(layer.backward) for layer in self.layers)

    @cached_property
    def update(self) -> Work:
        """Plain SGD: each parameter and its gradient read, the parameter written."""
        trained = self.report.totals.trainable_params
        return Work(2 * trained, 3 * trained * self.report.dtype.itemsize)

    @property
    def step_seconds(self) -> float:
        """Forward, backward and update."""
        return self.forward_seconds + self.backward_seconds + self.seconds(self.update)

    def steps(self, images: int, epochs: int) -> int:
        """How many steps a training has; an epoch's last batch may be smaller."""
        return -(-images // self.report.batch) * epochs

    def training_seconds(self, images: int, epochs: int) -> float:
        """The least time for a training; of a smaller last batch its share of a step is counted."""
        return images / self.report.batch * epochs * self.step_seconds

    def _compute_seconds(self, work: Work) -> float:
        return work.operations / self.device.operations_per_second[self.dtype]

    def _memory_seconds(self, work: Work) -> float:
        return work.bytes / self.device.bytes_per_second


def roofline(graph: Graph, device: Device, batch: int, dtype: str) -> Roofline:
    """The roofline of a graph at a batch size, in one of the types that the device has a peak for."""
    report = analyze(graph, batch, device.stored_as(dtype).name, "flops")
    reached = gradients_reach(graph)
    groups: list[list[Row]] = []
    for row in report.rows:
        if groups and row.node.full_name in report.in_place:
            groups[-1].append(row)
        else:
            groups.append([row])
    layers = tuple(_layer_work(report, tuple(rows), reached) for rows in groups)
    return Roofline(report, device, dtype, layers)


def gradients_reach(graph: Graph) -> frozenset[str]:
    """The tensors, by full name, whose gradient a training needs: something before them is trained."""
    reached: set[str] = set()
    for node in graph.nodes:
        if node.is_trained or reached.intersection(node.inputs):
            reached.add(node.full_name)
    return frozenset(reached)


def backward_macs(row: Row, reached: frozenset[str]) -> int:
    """Multiply-adds on the way back: a product an operand, none for an input that needs no gradient."""
    if row.node.full_name not in reached:
        return 0
    needs_input = not reached.isdisjoint(row.node.inputs)
    return row.figures.macs * (needs_input + (not row.node.is_frozen))


def _layer_work(report: Report, rows: tuple[Row, ...], reached: frozenset[str]) -> LayerWork:
    forward = backward = Work()
    for row in rows:
        in_place = row is not rows[0] or row.node.layer.kind in _VIEWS
        forward = forward.plus(Work(row.figures.flops, 0 if in_place else _forward_bytes(report, row)))
        if row.node.full_name in reached:
            operations = 2 * backward_macs(row, reached) + row.figures.other_ops
            back = 0 if in_place else _backward_bytes(report, row, reached)
            backward = backward.plus(Work(operations, back))
    return LayerWork(rows, forward, backward)


def _forward_bytes(report: Report, row: Row) -> int:
    """Inputs and weights read, the output written."""
    return sum(_input_bytes(report, row)) + _weight_bytes(report, row) + row.figures.output_bytes


def _backward_bytes(report: Report, row: Row, reached: frozenset[str]) -> int:
    """The output's gradient read and those of the inputs written; of operands, values read and gradients."""
    if row.node.layer.kind in _PASSED_ON:
        return 0
    inputs = _input_bytes(report, row)
    gradients = sum(size for size, name in zip(inputs, row.node.inputs, strict=True) if name in reached)
    weights = _weight_bytes(report, row, trainable=True)
    moved = row.figures.output_bytes + gradients + weights
    if row.figures.macs:
        moved += sum(inputs) + (weights if gradients else 0)
    return moved


def _input_bytes(report: Report, row: Row) -> list[int]:
    return [_bytes(report, shape) * report.batch for shape in row.input_shapes]


def _weight_bytes(report: Report, row: Row, trainable: bool = False) -> int:
    """A layer's parameters, with running statistics unless `trainable`; of an embedding what is looked up."""
    params = [param for param in row.node.params if param.trainable or not trainable]
    held = sum(_bytes(report, param.shape) for param in params)
    return min(held, row.figures.output_bytes) if row.node.layer.kind == "embedding" else held


def _bytes(report: Report, shape: Shape) -> int:
    return prod(shape) * report.dtype.itemsize
