"""Which tensors of a graph lie in one piece of memory: views, and layers that work in place."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from netcalc.analysis.gradients import kept
from netcalc.graph import Graph, Node
from netcalc.layers import Kept, View
from netcalc.layers.kept import INDEX_BYTES, NOTHING
from netcalc.tensor import TensorType


@dataclass
class Storages:
    """The pieces of memory that a graph's tensors take, numbered as they are made.

    In training a layer works in place only where backward needs nothing of what it writes over, and
    where `part_of` puts it into one part with the layer it reads.
    """

    graph: Graph
    itemsize: int
    training: bool = False
    part_of: Mapping[str, int] = field(default_factory=dict)
    """The parts that are computed again as wholes, by the full names of their layers."""
    of: dict[str, int] = field(default_factory=dict)
    """The storage of each tensor, by the full name of its input or node."""
    sizes: list[int] = field(default_factory=list)
    """Bytes of one sample."""
    kept: dict[str, Kept] = field(default_factory=dict)
    """What each layer keeps for backward; nothing where no gradient passes."""

    def __post_init__(self) -> None:
        self._alone: set[str] = set()  # nobody but its one reader sees the memory behind it
        self._scattered: set[str] = set()
        self._held: set[int] = set()
        numbers = {name for node in self.graph.nodes if node.layer.reads_tokens for name in node.inputs}
        for given in self.graph.inputs:
            itemsize = INDEX_BYTES if given.name in numbers else self.itemsize
            self._make(given.name, given.type.numel * itemsize)
        for node in self.graph.nodes:
            self._place(node)

    def has_backward(self, node: Node) -> bool:
        """Whether a gradient comes to a node and goes on, to its inputs or its parameters."""
        return self.training and node.full_name in self.graph.needs_gradient

    def kept_by(self, node: Node) -> set[int]:
        """The storages that a node holds on to for its backward."""
        keeps = self.kept[node.full_name]
        names = [node.inputs[position] for position in keeps.inputs]
        return {self.of[name] for name in (*names, *((node.full_name,) if keeps.output else ()))}

    def _place(self, node: Node) -> None:
        name, types = node.full_name, self.graph.input_types(node)
        keeps = self.kept[name] = kept(self.graph, node) if self.training else NOTHING
        view = self._view(node, types)
        if view is not None or self._works_in_place(node, keeps):
            self.of[name] = self.of[node.inputs[0]]
        else:
            self._make(name, node.output.numel * self.itemsize)
        if view is View.STRIDED or (view is View.ANY and node.inputs[0] in self._scattered):
            self._scattered.add(name)
        source_is_seen = view is not None and node.inputs[0] not in self._alone
        if self.graph.only_reader(name) is not None and not source_is_seen:
            self._alone.add(name)
        self._held |= self.kept_by(node)

    def _make(self, name: str, nbytes: int) -> None:
        self.of[name] = len(self.sizes)
        self.sizes.append(nbytes)

    def _view(self, node: Node, types: tuple[TensorType, ...]) -> View | None:
        view = node.layer.view_in(self.training)
        if view is not View.IN_ORDER or node.inputs[0] not in self._scattered:
            return view
        before, after = ([size for size in type.shape if size != 1] for type in (types[0], node.output))
        return View.ANY if before == after else None

    def _works_in_place(self, node: Node, kept: Kept) -> bool:
        """Whether it writes over its input: an activation or the like that is its only reader."""
        if not node.layer.in_place or node.inputs[0] not in self._alone or kept.inputs:
            return False
        together = self.part_of.get(node.full_name) == self.part_of.get(node.inputs[0])
        return together and self.of[node.inputs[0]] not in self._held
