"""Which tensors of a graph alias: views and in-place layers share the storage of their input."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from netcalc.analysis.gradients import saved_tensors
from netcalc.graph import Graph, Node
from netcalc.layers import Saved, View
from netcalc.layers.saved import INDEX_BYTES, NOTHING
from netcalc.tensor import TensorType


@dataclass
class Aliasing:
    """The storages of a graph's tensors, numbered in the order of their allocation.

    In training a layer works in place only where backward does not read the value that it overwrites, and
    where `segment_of` puts it into one segment with the layer before it.
    """

    graph: Graph
    itemsize: int
    training: bool = False
    segment_of: Mapping[str, int] = field(default_factory=dict)
    """The checkpointing segment of each layer, by full name."""
    storage_of: dict[str, int] = field(default_factory=dict)
    """The storage of each tensor, by the full name of its input or node."""
    sizes: list[int] = field(default_factory=list)
    """Bytes of each storage for one sample."""
    saved: dict[str, Saved] = field(default_factory=dict)
    """What each layer saves for backward, by full name."""

    def __post_init__(self) -> None:
        self._exclusive: set[str] = set()  # tensors whose storage no one sees but their only reader
        self._non_contiguous: set[str] = set()
        self._saved_storages: set[int] = set()
        indices = {name for node in self.graph.nodes if node.layer.reads_tokens for name in node.inputs}
        for given in self.graph.inputs:
            itemsize = INDEX_BYTES if given.name in indices else self.itemsize
            self._allocate(given.name, given.type.numel * itemsize)
        for node in self.graph.nodes:
            self._assign(node)

    def has_backward(self, node: Node) -> bool:
        """Whether the backward pass runs through a node."""
        return self.training and node.full_name in self.graph.needs_gradient

    def storages_saved_by(self, node: Node) -> set[int]:
        """The storages of the inputs and the output that a node saves for its backward."""
        saved = self.saved[node.full_name]
        names = [node.inputs[position] for position in saved.inputs]
        return {self.storage_of[name] for name in (*names, *((node.full_name,) if saved.output else ()))}

    def _assign(self, node: Node) -> None:
        name, types = node.full_name, self.graph.input_types(node)
        self.saved[name] = saved_tensors(self.graph, node) if self.training else NOTHING
        view = self._view(node, types)
        if view is not None or self._works_in_place(node):
            self.storage_of[name] = self.storage_of[node.inputs[0]]
        else:
            self._allocate(name, node.output.numel * self.itemsize)
        if view is View.STRIDED or (view is View.ANY and node.inputs[0] in self._non_contiguous):
            self._non_contiguous.add(name)
        is_aliased = view is not None and node.inputs[0] not in self._exclusive
        if self.graph.only_reader(name) is not None and not is_aliased:
            self._exclusive.add(name)
        self._saved_storages |= self.storages_saved_by(node)

    def _allocate(self, name: str, nbytes: int) -> None:
        self.storage_of[name] = len(self.sizes)
        self.sizes.append(nbytes)

    def _view(self, node: Node, types: tuple[TensorType, ...]) -> View | None:
        view = node.layer.view_in(self.training)
        if view is not View.IN_ORDER or node.inputs[0] not in self._non_contiguous:
            return view
        before, after = ([size for size in type.shape if size != 1] for type in (types[0], node.output))
        return View.ANY if before == after else None

    def _works_in_place(self, node: Node) -> bool:
        """Whether a node overwrites its input: an activation or the like that is its only reader."""
        source = node.inputs[0]
        if not node.layer.in_place or source not in self._exclusive or self.saved[node.full_name].inputs:
            return False
        same_segment = self.segment_of.get(node.full_name) == self.segment_of.get(source)
        return same_segment and self.storage_of[source] not in self._saved_storages
