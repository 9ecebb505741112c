"""Kernel fusion: which layers run in one kernel, and the tensors that each kernel reads and writes.

Without fusion every layer but a view is a kernel of its own. With fusion a fusible layer runs in the kernel
that writes or reads its input, and its output is never stored: its readers read the stored tensors that it is
computed from. A sum or product of several tensors of full size runs in the kernel that writes the last of
them, and is stored in its place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from netcalc.analysis.allocations import Bytes
from netcalc.graph import Graph, Node
from netcalc.tensor import TensorType

Fusion = Literal["none", "elementwise"]


class TensorRead(NamedTuple):
    """A read of a tensor: the stored tensors that are read for it, and how many bytes."""

    tensors: frozenset[str]
    size: Bytes


@dataclass
class Kernel:
    """Layers that run together; the others are fused with the first."""

    nodes: list[Node]
    reads: list[TensorRead] = field(default_factory=list)
    """The reads of its operands, without tensors that it computes itself."""
    computes: list[str] = field(default_factory=list)
    """The tensors that it computes and that can be stored, by full name."""
    writes: tuple[str, ...] = ()
    """Those that it stores: other kernels read them, or they are outputs of the network."""
    is_empty: bool = False
    """Whether its layers neither compute nor move bytes."""


class KernelGraph:
    """The kernels of a graph in execution order."""

    def __init__(self, graph: Graph, itemsize: int, fusion: Fusion) -> None:
        self.graph = graph
        self.itemsize = itemsize
        self.fused = fusion != "none"
        self.kernels: list[Kernel] = []
        self.reads: dict[str, TensorRead] = {}
        """The read that each tensor stands for, by the full name of its input or layer."""
        self._kernel_of: dict[str, int] = {}
        for given in graph.inputs:
            self._store(given.name, given.type)
        for node in graph.nodes:
            self._place(node)
        self._find_writes()

    def size(self, name: str) -> Bytes:
        """The bytes of a tensor."""
        return Bytes(per_sample=self.graph.types[name].numel * self.itemsize)

    def operands(self, node: Node) -> list[TensorRead]:
        """The reads of a layer's inputs; of the first input those elements that its windows reach."""
        first, *others = (self.reads[name] for name in node.inputs)
        given = self.graph.types[node.inputs[0]]
        unread = (given.numel - node.layer.elements_read(given, node.output)) * self.itemsize
        if unread:  # an element may stand for one of each stored tensor, or for several of one
            own = given.numel * self.itemsize
            size = first.size.per_sample - unread * max(len(first.tensors), -(-first.size.per_sample // own))
            first = first._replace(size=Bytes(per_sample=max(0, size)))
        return [first, *others]

    def needed(self, name: str, reads: Iterable[TensorRead]) -> Bytes:
        """A lower bound on the bytes of a tensor that are read: the largest share of it in one read."""
        largest = 0
        for read in reads:
            if name in read.tensors:
                others = sum(self.size(other).per_sample for other in read.tensors if other != name)
                largest = max(largest, read.size.per_sample - others)
        return Bytes(per_sample=largest)

    def _place(self, node: Node) -> None:
        reads = self.operands(node)
        names = frozenset[str]().union(*(read.tensors for read in reads))
        last = max((self._kernel_of[name] for name in names if name in self._kernel_of), default=None)
        if self._is_not_stored(node, last):
            self._forward_reads(node, reads, last)
            return
        if last is None or not self._is_fused_with(node, last):
            last = len(self.kernels)
            self.kernels.append(Kernel([]))
        kernel = self.kernels[last]
        kernel.nodes.append(node)
        kernel.reads += [read for read in reads if not read.tensors <= {*kernel.computes}]
        kernel.computes.append(node.full_name)
        self._store(node.full_name, node.output)
        self._kernel_of[node.full_name] = last

    def _is_not_stored(self, node: Node, last: int | None) -> bool:
        """Whether readers of a node's output read its inputs instead."""
        if node.layer.view_in(training=False) is not None:
            return True
        if not (self.fused and node.layer.fusible):
            return False
        if last is None:
            return node.full_name not in self.graph.outputs  # an output has to be written
        if len(node.inputs) == 1:
            (read,) = self.graph.input_types(node)
            return read.numel <= node.output.numel or not self._is_fused_with(node, last)
        return self._is_concatenation(node) or len(self._full_size_inputs(node)) < 2

    def _forward_reads(self, node: Node, reads: list[TensorRead], last: int | None) -> None:
        tensors = frozenset[str]().union(*(read.tensors for read in reads))
        read_bytes = sum(read.size.per_sample for read in distinct(reads))
        stored_bytes = sum(self.size(name).per_sample for name in tensors)
        size = Bytes(per_sample=min(read_bytes, stored_bytes, node.output.numel * self.itemsize))
        self.reads[node.full_name] = TensorRead(tensors, size)
        if last is None:
            self.kernels.append(Kernel([node], is_empty=True))
        else:
            self.kernels[last].nodes.append(node)

    def _is_fused_with(self, node: Node, last: int) -> bool:
        """Whether a layer runs in the kernel that computes the last of its operands."""
        if not (self.fused and node.layer.fusible) or self.kernels[last].is_empty:
            return False
        computed = {*self.kernels[last].computes}
        operands = node.inputs if len(node.inputs) == 1 else self._full_size_inputs(node)
        return any(self.reads[name].tensors <= computed for name in operands)

    def _is_concatenation(self, node: Node) -> bool:
        """Whether the inputs lie side by side in the output, so that their kernels can write them there."""
        types = self.graph.input_types(node)
        return len(types) > 1 and sum(type.numel for type in types) == node.output.numel

    def _full_size_inputs(self, node: Node) -> list[str]:
        """The inputs that are not broadcast."""
        return [name for name in node.inputs if self.graph.types[name].numel == node.output.numel]

    def _store(self, name: str, type: TensorType) -> None:
        self.reads[name] = TensorRead(frozenset({name}), Bytes(per_sample=type.numel * self.itemsize))

    def _find_writes(self) -> None:
        needed = {name for output in self.graph.outputs for name in self.reads[output].tensors}
        for kernel in self.kernels:
            needed.update(name for read in kernel.reads for name in read.tensors - {*kernel.computes})
        for kernel in self.kernels:
            kernel.writes = tuple(name for name in kernel.computes if name in needed)


def distinct(reads: list[TensorRead]) -> list[TensorRead]:
    """The reads without those whose tensors a larger one covers."""
    result: list[TensorRead] = []
    for read in sorted(reads, key=lambda read: -read.size.per_sample):
        if not any(read.tensors <= other.tensors for other in result):
            result.append(read)
    return result
