"""The roofline model: lower bounds on the time of each kernel, of a training step, of a training.

After Williams, Waterman and Patterson, "Roofline: an insightful visual performance model", 2009: the time of
a kernel is at least its operations at peak throughput, and at least its memory traffic at peak bandwidth.
A kernel reads its operands and weights and writes its results, each once.

Operations are those of dot products, two for a multiply-add, without the masked scores of causal attention.
Other operations take no time here: they can be fewer than are counted (a batch norm folds into weights, a
pool reuses comparisons), and run beside the dot products.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from netcalc.analysis.allocations import Bytes
from netcalc.analysis.devices import Device
from netcalc.analysis.fusion import Fusion, Kernel, KernelGraph, TensorRead, distinct
from netcalc.analysis.gradients import backward_macs, saved_tensors
from netcalc.analysis.report import Report, Row, analyze
from netcalc.graph import Graph, Node


class Work(NamedTuple):
    """Operations of dot products, two for a multiply-add, and memory traffic in bytes."""

    operations: int = 0
    bytes: int = 0

    def plus(self, other: "Work") -> "Work":
        return Work(self.operations + other.operations, self.bytes + other.bytes)

    @property
    def intensity(self) -> float | None:
        """Arithmetic intensity in operations a byte; None without memory traffic."""
        return self.operations / self.bytes if self.bytes else None


class LayerWork(NamedTuple):
    """The layers of one kernel, and its work in forward and backward."""

    rows: tuple[Row, ...]
    forward: Work
    backward: Work


@dataclass(frozen=True)
class Roofline:
    """The work of a network, and lower bounds on its time on a device, in seconds."""

    report: Report
    """Counted by the convention `flops`, in the type that elements are stored in."""
    device: Device
    dtype: str
    """The type of the operations."""
    fusion: Fusion
    whole: Work
    """The forward as a single kernel, whose traffic is the network's inputs, weights and outputs."""
    layers: tuple[LayerWork, ...]

    def seconds(self, work: Work) -> float:
        """The lower bound on the time for a piece of work."""
        return max(self._compute_seconds(work), self._memory_seconds(work))

    def is_memory_bound(self, work: Work) -> bool:
        """Whether the bound of the bandwidth is the larger one."""
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
        """The steps of a training; the last batch of an epoch may be smaller."""
        return -(-images // self.report.batch) * epochs

    def training_seconds(self, images: int, epochs: int) -> float:
        """The lower bound on the time for a training; a smaller last batch counts as a fraction of a step."""
        return images / self.report.batch * epochs * self.step_seconds

    def _compute_seconds(self, work: Work) -> float:
        return work.operations / self.device.operations_per_second[self.dtype]

    def _memory_seconds(self, work: Work) -> float:
        return work.bytes / self.device.bytes_per_second


def roofline(
    graph: Graph, device: Device, batch: int, dtype: str, fusion: Fusion = "elementwise"
) -> Roofline:
    """The roofline of a graph at a batch size, in a type for which the device has a peak."""
    report = analyze(graph, batch, device.stored_as(dtype).name, "flops")
    counter = _WorkCounter(report, KernelGraph(graph, report.dtype.itemsize, fusion))
    return Roofline(report, device, dtype, fusion, counter.whole(), tuple(counter.layers()))


class _WorkCounter:
    """Counts the operations and the memory traffic of kernels."""

    def __init__(self, report: Report, kernels: KernelGraph) -> None:
        self.report = report
        self.graph = report.graph
        self.kernels = kernels
        self._rows = {row.node.full_name: row for row in report.rows}

    def layers(self) -> list[LayerWork]:
        """The work of every kernel, and of the layers that belong to none."""
        layers = []
        for kernel in self.kernels.kernels:
            rows = tuple(self._rows[node.full_name] for node in kernel.nodes)
            forward, backward = Work(), Work()
            if not kernel.is_empty:
                forward, backward = self._forward(kernel), self._backward(kernel)
            layers.append(LayerWork(rows, forward, backward))
        return layers

    def whole(self) -> Work:
        """The forward as a single kernel: inputs and weights are read once, outputs are written once."""
        kernels = self.kernels.kernels
        reads = [read for kernel in kernels for read in kernel.reads]
        outputs = [self.kernels.reads[name] for name in self.graph.outputs]
        stored = {name for kernel in kernels for name in kernel.writes}
        moved = sum(self._bytes(self.kernels.needed(tensor.name, reads)) for tensor in self.graph.inputs)
        moved += sum(self._bytes(self.kernels.needed(name, outputs)) for name in stored)
        weights: dict[str, int] = {}
        for node in (kernel.nodes[0] for kernel in kernels if not kernel.is_empty):
            owner = node.shared or node.full_name
            weights[owner] = max(weights.get(owner, 0), self._weight_bytes(node))
        return Work(2 * sum(map(self._macs, self.graph.nodes)), moved + sum(weights.values()))

    def _macs(self, node: Node) -> int:
        """The multiply-adds of a batch, without masked ones."""
        return self._rows[node.full_name].figures.macs - self._masked_macs(node) * self.report.batch

    def _masked_macs(self, node: Node) -> int:
        return node.layer.masked_macs(self.graph.input_types(node), node.output)

    def _forward(self, kernel: Kernel) -> Work:
        """Operands and weights are read, results are written."""
        macs = sum(self._macs(node) for node in kernel.nodes)
        read = sum(self._bytes(read.size) for read in distinct(kernel.reads))
        weights = self._weight_bytes(kernel.nodes[0])  # weights of fused layers can be folded into these
        return Work(2 * macs, read + weights + self._tensor_bytes(kernel.writes))

    def _backward(self, kernel: Kernel) -> Work:
        """Gradients of results are read, gradients of operands and weights are written.

        Dot products read the saved operands again. Without fusion, so does every other layer.
        """
        active = [node for node in kernel.nodes if node.full_name in self.graph.needs_gradient]
        if not active:
            return Work()
        macs = sum(backward_macs(self.graph, node) - 2 * self._masked_macs(node) for node in active)
        own = {*kernel.computes}  # intermediate results stay inside the kernel
        saved = [read for node in active for read in self._saved_reads(node, own)]
        gradients = [read for node in active for read in self._input_gradients(node)]
        written = [self._gradient(read) for read in gradients if not read.tensors <= own]
        moved = sum(self._bytes(read.size) for read in (*distinct(saved), *distinct(written)))
        weights = sum(self._weight_bytes(node, trained=True) for node in active)
        if written or weights:
            moved += self._tensor_bytes(self._upstream(kernel)) + weights
        if macs and not self.graph.needs_gradient.isdisjoint(kernel.nodes[0].inputs):
            moved += self._weight_bytes(kernel.nodes[0])
        return Work(2 * macs * self.report.batch, moved)

    def _upstream(self, kernel: Kernel) -> list[str]:
        """The results whose gradients are read, without those passed on unchanged to another result."""
        written = {*kernel.writes} & self.graph.needs_gradient
        nodes = {node.full_name: node for node in kernel.nodes}
        upstream = []
        for name in kernel.writes:
            passed_on = (self.kernels.reads[other].tensors for other in self._passes_gradient_to(nodes[name]))
            if name in written and written.isdisjoint(frozenset[str]().union(*passed_on)):
                upstream.append(name)
        return upstream

    def _passes_gradient_to(self, node: Node) -> list[str]:
        """The inputs of a layer whose gradient is that of the output, or a part of it."""
        types = zip(node.inputs, self.graph.input_types(node), strict=True)
        return [name for name, type in types if node.layer.passes_gradient(type, node.output)]

    def _saved_reads(self, node: Node, own: Set[str]) -> list[TensorRead]:
        """The tensors of the forward that backward reads, without those that the kernel itself computes."""
        is_product = self._rows[node.full_name].figures.macs > 0
        if not is_product and (self.kernels.fused or node.keeps_statistics):
            return []  # a frozen norm scales its gradient by running statistics
        types = self.graph.input_types(node)
        macs = node.layer.cost(types, node.output).macs
        if is_product and node.is_frozen and node.layer.weight_macs(types, node.output) == macs:
            return []  # only the gradients of weights read the inputs
        saved = saved_tensors(self.graph, node)
        inputs = [node.inputs[position] for position in saved.inputs]
        if is_product and not inputs:
            inputs = list(node.inputs)  # what is saved in their place is no smaller
        operands = dict(zip(node.inputs, self.kernels.operands(node), strict=True))
        reads = [operands[name] for name in inputs if not operands[name].tensors <= own]
        output = [self.kernels.reads[node.full_name]] if saved.output and not is_product else []
        return [*reads, *output]

    def _input_gradients(self, node: Node) -> list[TensorRead]:
        """The inputs whose gradients a layer computes, rather than pass on that of its output."""
        reads = self.kernels.reads
        if reads[node.full_name].tensors != {node.full_name}:
            return []  # its output is not stored: the gradients are those of its readers
        computed = [name for name in node.inputs if name not in self._passes_gradient_to(node)]
        return [reads[name] for name in computed if name in self.graph.needs_gradient]

    def _gradient(self, read: TensorRead) -> TensorRead:
        """The tensors of a read that have a gradient, which is as large as they are."""
        tensors = read.tensors & self.graph.needs_gradient
        if tensors == read.tensors:
            return read
        stored_bytes = sum(self.kernels.size(name).per_sample for name in tensors)
        return TensorRead(tensors, Bytes(per_sample=min(read.size.per_sample, stored_bytes)))

    def _tensor_bytes(self, names: Iterable[str]) -> int:
        return sum(self._bytes(self.kernels.size(name)) for name in names)

    def _weight_bytes(self, node: Node, trained: bool = False) -> int:
        """Bytes of a layer's parameters, of an embedding those looked up; buffers unless `trained`."""
        params = [param for param in node.params if param.trainable or not trained]
        nbytes = sum(param.numel for param in params) * self.report.dtype.itemsize
        output_bytes = self._rows[node.full_name].figures.output_bytes
        return min(nbytes, output_bytes) if node.layer.reads_tokens else nbytes

    def _bytes(self, size: Bytes) -> int:
        return size.at(self.report.batch)
