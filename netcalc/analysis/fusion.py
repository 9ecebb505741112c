"""Which layers run together as one kernel, and the tensors that each kernel reads and writes.

Unfused, every layer but a view is a kernel. Fused, a layer that says so of itself runs where its input is
made or read, and its output need not exist: who reads it reads what lies behind it. A sum or a product of
several whole tensors is formed where the last of them is made, and is written in its place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from netcalc.analysis.allocations import Bytes
from netcalc.graph import Graph, Node
from netcalc.tensor import TensorType

Fusion = Literal["none", "elementwise"]


class Reading(NamedTuple):
    """What a reader of a tensor reads: of which tensors that exist, and how many bytes."""

    of: frozenset[str]
    size: Bytes


@dataclass
class Kernel:
    """Layers that run together; the first is the one that the others are fused with."""

    nodes: list[Node]
    reads: list[Reading] = field(default_factory=list)
    """The readings of its operands, without those of what it makes itself."""
    makes: list[str] = field(default_factory=list)
    """What its layers make that is not passed on at once, by full name."""
    writes: tuple[str, ...] = ()
    """What of it others read, or the network gives."""
    is_free: bool = False
    """Whether it only stands for layers that move no bytes."""


class Kernels:
    """The kernels of a graph, in an order in which they can run."""

    def __init__(self, graph: Graph, itemsize: int, fusion: Fusion) -> None:
        self.graph = graph
        self.itemsize = itemsize
        self.fused = fusion != "none"
        self.listed: list[Kernel] = []
        self.readings: dict[str, Reading] = {}
        """What a reader of each tensor reads, by the full name of its input or layer."""
        self._maker: dict[str, int] = {}
        for given in graph.inputs:
            self._exists(given.name, given.type)
        for node in graph.nodes:
            self._place(node)
        self._find_writes()

    def size(self, name: str) -> Bytes:
        """The bytes of a tensor."""
        return Bytes(per_sample=self.graph.types[name].numel * self.itemsize)

    def operands(self, node: Node) -> list[Reading]:
        """What a layer reads of its inputs: of the first what its windows reach."""
        first, *others = (self.readings[name] for name in node.inputs)
        given = self.graph.types[node.inputs[0]]
        unread = (given.numel - node.layer.elements_read(given, node.output)) * self.itemsize
        if unread:  # each element may be made of one of every tensor behind it, or of several of one
            own = given.numel * self.itemsize
            size = first.size.per_sample - unread * max(len(first.of), -(-first.size.per_sample // own))
            first = first._replace(size=Bytes(per_sample=max(0, size)))
        return [first, *others]

    def needed(self, name: str, readings: Iterable[Reading]) -> Bytes:
        """What the readings need of a tensor at least: what the one that reads most of it does."""
        most = 0
        for reading in readings:
            if name in reading.of:
                others = sum(self.size(other).per_sample for other in reading.of if other != name)
                most = max(most, reading.size.per_sample - others)
        return Bytes(per_sample=most)

    def _place(self, node: Node) -> None:
        readings = self.operands(node)
        makers = [self._maker[name] for reading in readings for name in reading.of if name in self._maker]
        last = max(makers, default=None)
        if self._passes(node, last):
            self._pass(node, readings, last)
            return
        if last is None or not self._is_joined_by(node, last):
            last = len(self.listed)
            self.listed.append(Kernel([]))
        kernel = self.listed[last]
        kernel.nodes.append(node)
        kernel.reads += [reading for reading in readings if not reading.of <= {*kernel.makes}]
        kernel.makes.append(node.full_name)
        self._exists(node.full_name, node.output)
        self._maker[node.full_name] = last

    def _passes(self, node: Node, last: int | None) -> bool:
        """Whether readers of a node's output can as well read its input."""
        if node.layer.view_in(training=False) is not None:
            return True
        if not (self.fused and node.layer.fusible):
            return False
        if last is None:
            return node.full_name not in self.graph.outputs  # somebody has to write it
        if len(node.inputs) == 1:
            (read,) = self.graph.input_types(node)
            return read.numel <= node.output.numel or not self._is_joined_by(node, last)
        return self._is_joining(node) or len(self._whole_inputs(node)) < 2

    def _pass(self, node: Node, readings: list[Reading], last: int | None) -> None:
        of = frozenset[str]().union(*(reading.of for reading in readings))
        behind = sum(reading.size.per_sample for reading in distinct(readings))
        whole = sum(self.size(name).per_sample for name in of)
        size = Bytes(per_sample=min(behind, whole, node.output.numel * self.itemsize))
        self.readings[node.full_name] = Reading(of, size)
        if last is None:
            self.listed.append(Kernel([node], is_free=True))
        else:
            self.listed[last].nodes.append(node)

    def _is_joined_by(self, node: Node, last: int) -> bool:
        """Whether a layer writes its output in the kernel that makes the last of its operands."""
        if not (self.fused and node.layer.fusible) or self.listed[last].is_free:
            return False
        made = {*self.listed[last].makes}
        operands = node.inputs if len(node.inputs) == 1 else self._whole_inputs(node)
        return any(self.readings[name].of <= made for name in operands)

    def _is_joining(self, node: Node) -> bool:
        """Whether its inputs stand side by side in its output, where their makers can put them."""
        types = self.graph.input_types(node)
        return len(types) > 1 and sum(type.numel for type in types) == node.output.numel

    def _whole_inputs(self, node: Node) -> list[str]:
        """The inputs that are not stretched."""
        return [name for name in node.inputs if self.graph.types[name].numel == node.output.numel]

    def _exists(self, name: str, type: TensorType) -> None:
        self.readings[name] = Reading(frozenset({name}), Bytes(per_sample=type.numel * self.itemsize))

    def _find_writes(self) -> None:
        needed = {name for output in self.graph.outputs for name in self.readings[output].of}
        for kernel in self.listed:
            needed.update(name for reading in kernel.reads for name in reading.of - {*kernel.makes})
        for kernel in self.listed:
            kernel.writes = tuple(name for name in kernel.makes if name in needed)


def distinct(readings: list[Reading]) -> list[Reading]:
    """The readings without those of what a longer one reads already."""
    kept: list[Reading] = []
    for reading in sorted(readings, key=lambda reading: -reading.size.per_sample):
        if not any(reading.of <= other.of for other in kept):
            kept.append(reading)
    return kept
