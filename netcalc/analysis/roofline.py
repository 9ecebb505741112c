"""How long a network takes at least: the roofline bound of each kernel, of a training step, of a training.

After Williams, Waterman and Patterson, "Roofline: an insightful visual performance model", 2009: work
takes no less than its operations at the device's peak, and no less than the bytes that it has to move
at full bandwidth. A kernel reads its operands and its weights and writes what others read, each once.

Operations are those of direct products, two a multiply-add; scores that causal attention masks need none.
All others can be done with fewer than are counted (a batch norm folds into weights, a pool reuses its
comparisons) and beside the products, so that they take no time of their own here.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from netcalc.analysis.devices import Device
from netcalc.analysis.fusion import Fusion, Kernel, Kernels, Reading, distinct
from netcalc.analysis.gradients import backward_macs, kept
from netcalc.analysis.ledger import Bytes
from netcalc.analysis.report import Report, Row, analyze
from netcalc.graph import Graph, Node


class Work(NamedTuple):
    """Operations of products, a multiply-add being two, and the bytes that have to be moved."""

    operations: int = 0
    bytes: int = 0

    def plus(self, other: "Work") -> "Work":
        return Work(self.operations + other.operations, self.bytes + other.bytes)

    @property
    def intensity(self) -> float | None:
        """Operations a byte; None where nothing is moved."""
        return self.operations / self.bytes if self.bytes else None


class LayerWork(NamedTuple):
    """The layers of one kernel, and its work on the way there and back."""

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
    fusion: Fusion
    whole: Work
    """The forward as a single kernel: the network's inputs, weights and outputs alone are moved."""
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


def roofline(
    graph: Graph, device: Device, batch: int, dtype: str, fusion: Fusion = "elementwise"
) -> Roofline:
    """The roofline of a graph at a batch size, in one of the types that the device has a peak for."""
    report = analyze(graph, batch, device.stored_as(dtype).name, "flops")
    counter = _Counter(report, Kernels(graph, report.dtype.itemsize, fusion))
    return Roofline(report, device, dtype, fusion, counter.whole(), tuple(counter.layers()))


class _Counter:
    """Counts the work of kernels."""

    def __init__(self, report: Report, kernels: Kernels) -> None:
        self.report = report
        self.kernels = kernels
        self.reached = report.graph.needs_gradient
        self._rows = {row.node.full_name: row for row in report.rows}

    def layers(self) -> list[LayerWork]:
        """Every kernel, and the layers that move nothing and belong to none."""
        found = []
        for kernel in self.kernels.listed:
            rows = tuple(self._rows[node.full_name] for node in kernel.nodes)
            forward, backward = (
                (Work(), Work()) if kernel.is_free else (self._forward(kernel), self._backward(kernel))
            )
            found.append(LayerWork(rows, forward, backward))
        return found

    def whole(self) -> Work:
        """The forward as a single kernel: of everything what its kernels move, once."""
        graph, listed = self.report.graph, self.kernels.listed
        read = [reading for kernel in listed for reading in kernel.reads]
        given = [self.kernels.readings[name] for name in graph.outputs]
        made = {name for kernel in listed for name in kernel.writes}
        moved = sum(self._bytes(self.kernels.needed(tensor.name, read)) for tensor in graph.inputs)
        moved += sum(self._bytes(self.kernels.needed(name, given)) for name in made)
        weights: dict[str, int] = {}
        for node in (kernel.nodes[0] for kernel in listed if not kernel.is_free):
            owner = node.shared or node.full_name
            weights[owner] = max(weights.get(owner, 0), self._weights(node))
        return Work(2 * sum(map(self._macs, graph.nodes)), moved + sum(weights.values()))

    def _macs(self, node: Node) -> int:
        """The multiply-adds of a batch, without those that are masked."""
        return self._rows[node.full_name].figures.macs - self._masked(node) * self.report.batch

    def _masked(self, node: Node) -> int:
        return node.layer.masked_macs(self.report.graph.input_types(node), node.output)

    def _forward(self, kernel: Kernel) -> Work:
        """Operands and weights read; what others read is written."""
        macs = sum(self._macs(node) for node in kernel.nodes)
        read = sum(self._bytes(reading.size) for reading in distinct(kernel.reads))
        weights = self._weights(kernel.nodes[0])  # those of what is fused can be folded into them
        return Work(2 * macs, read + weights + self._written(kernel.writes))

    def _backward(self, kernel: Kernel) -> Work:
        """Gradients of what was written are read, those of operands and weights written.

        Products read the operands again that gradients need. Unfused, so does every other layer.
        """
        active = [node for node in kernel.nodes if node.full_name in self.reached]
        if not active:
            return Work()
        graph = self.report.graph
        macs = sum(backward_macs(graph, node) - 2 * self._masked(node) for node in active)
        upstream = self._upstream(kernel)
        own = {*kernel.makes}  # what it makes and reads itself need not leave it
        read = [reading for node in active for reading in self._values(node, own)]
        computed = [reading for node in active for reading in self._computed(node)]
        written = [self._gradient(reading) for reading in computed if not reading.of <= own]
        moved = sum(self._bytes(reading.size) for reading in (*distinct(read), *distinct(written)))
        weights = sum(self._weights(node, trained=True) for node in active)
        if written or weights:
            moved += self._written(upstream) + weights
        if macs and not self.reached.isdisjoint(kernel.nodes[0].inputs):
            moved += self._weights(kernel.nodes[0])
        return Work(2 * macs * self.report.batch, moved)

    def _upstream(self, kernel: Kernel) -> list[str]:
        """What it wrote whose gradients it reads: not of what hands its own on to another of them."""
        written = {*kernel.writes} & self.reached
        makers = {node.full_name: node for node in kernel.nodes}
        found = []
        for name in kernel.writes:
            handed_on = (self.kernels.readings[other].of for other in self._handed_on_to(makers[name]))
            if name in written and written.isdisjoint(frozenset[str]().union(*handed_on)):
                found.append(name)
        return found

    def _handed_on_to(self, node: Node) -> list[str]:
        """The inputs of a layer whose gradient is the output's, or a part of it."""
        types = zip(node.inputs, self.report.graph.input_types(node), strict=True)
        return [name for name, type in types if node.layer.hands_on(type, node.output)]

    def _values(self, node: Node, own: Set[str]) -> list[Reading]:
        """What the gradients read of the tensors of the way there; `own` the kernel makes."""
        is_product = self._rows[node.full_name].figures.macs > 0
        if not is_product and self.kernels.fused:
            return []
        types = self.report.graph.input_types(node)
        macs = node.layer.cost(types, node.output).macs
        if is_product and node.is_frozen and node.layer.weight_macs(types, node.output) == macs:
            return []  # the inputs are operands of the weights' gradients alone
        keeps = kept(self.report.graph, node)
        inputs = [node.inputs[position] for position in keeps.inputs]
        if is_product and not inputs:
            inputs = list(node.inputs)  # what stands in place of them is no smaller
        operands = dict(zip(node.inputs, self.kernels.operands(node), strict=True))
        read = [operands[name] for name in inputs]
        output = [self.kernels.readings[node.full_name]] if keeps.output and not is_product else []
        return [*(reading for reading in read if not reading.of <= own), *output]

    def _computed(self, node: Node) -> list[Reading]:
        """The readings whose gradient a layer computes, rather than hand on its output's."""
        readings = self.kernels.readings
        if readings[node.full_name].of != {node.full_name}:
            return []  # its output does not exist: the gradients are those of its readers
        computed = [name for name in node.inputs if name not in self._handed_on_to(node)]
        return [readings[name] for name in computed if name in self.reached]

    def _gradient(self, reading: Reading) -> Reading:
        """The reading's tensors that have a gradient, which is as large as they."""
        of = reading.of & self.reached
        if of == reading.of:
            return reading
        each = min(reading.size.each, sum(self.kernels.size(name).each for name in of))
        return Reading(of, Bytes(each=each))

    def _written(self, names: Iterable[str]) -> int:
        return sum(self._bytes(self.kernels.size(name)) for name in names)

    def _weights(self, node: Node, trained: bool = False) -> int:
        """Bytes of a layer's parameters, of a table what is looked up; running statistics unless trained."""
        params = [param for param in node.params if param.trainable or not trained]
        held = sum(param.numel for param in params) * self.report.dtype.itemsize
        output_bytes = self._rows[node.full_name].figures.output_bytes
        return min(held, output_bytes) if node.layer.reads_tokens else held

    def _bytes(self, size: Bytes) -> int:
        return size.at(self.report.batch)
