"""The layer graph: nodes in topological order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from netcalc.diagnostics import Span
from netcalc.layers import Cost, Layer, ParamSpec
from netcalc.tensor import FrozenDict, TensorType


class Input(NamedTuple):
    """A tensor the network is given."""

    name: str
    type: TensorType


class Ignored(NamedTuple):
    """A design rule that the spec silences, by its code, and where it does."""

    code: str
    span: Span


class Limit(NamedTuple):
    """The upper limit of a figure: a count, or bytes; for `batch` samples if given."""

    most: int
    batch: int | None
    span: Span


class Node(NamedTuple):
    """A layer in its place. `inputs` are full names; shapes leave the batch axis out."""

    name: str
    path: tuple[str, ...]
    """The blocks around it, from the outside in."""
    layer: Layer
    inputs: tuple[str, ...]
    output: TensorType
    params: tuple[ParamSpec, ...]
    span: Span
    shared: str | None = None
    """The full name of the layer whose parameters it uses, where it has none of its own."""
    ignored: tuple[Ignored, ...] = ()
    """The design rules silenced for it and for the blocks around it."""
    init: str = ""
    """The initialisation that the spec states for it; the graph's where it states none."""

    @property
    def full_name(self) -> str:
        """The path and the name: `stage2.0.main.conv1`."""
        return ".".join((*self.path, self.name)) if self.path else self.name

    @property
    def is_frozen(self) -> bool:
        """Whether it has parameters or running statistics, and they stay as they are."""
        return any(param.frozen for param in self.params)

    @property
    def keeps_statistics(self) -> bool:
        """Whether it is a frozen norm, which computes by its running statistics in training too."""
        return self.layer.moves_statistics and self.is_frozen

    @property
    def mixes_samples_in_training(self) -> bool:
        """Whether a sample's output in training depends on the batch that it is in."""
        return self.layer.mixes_samples(training=not self.keeps_statistics)

    @property
    def is_trained(self) -> bool:
        """Whether a gradient goes to any of its parameters."""
        return any(param.trainable for param in self.params)


class Preprocess(NamedTuple):
    """How a picture becomes an input: its shorter side, and what its channels are normalised by."""

    resize: int | None = None
    """Pixels of the shorter side before the middle is cut out; None is the input's own size."""
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


_AS_IT_IS = Preprocess()


@dataclass(frozen=True, repr=False)
class Graph:
    """A network: its inputs, its nodes in topological order, and the names of its outputs."""

    name: str
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    citation: str = ""
    year: int | None = None
    expect: Mapping[str, int] | None = None
    """The figures the spec claims, such as params and macs."""
    expected_at: Mapping[str, Span] = field(default_factory=dict)
    """The places of those figures in the spec."""
    budget: Mapping[str, Limit] = field(default_factory=dict)
    """The figures that have a limit."""
    ignored: tuple[Ignored, ...] = ()
    """The design rules silenced for the whole network."""
    preprocess: Preprocess = _AS_IT_IS
    init: str = ""
    """The initialisation of layers that have none of their own; that of PyTorch unless given."""

    def __post_init__(self) -> None:
        held = {"expected_at": FrozenDict(self.expected_at), "budget": FrozenDict(self.budget)}
        vars(self).update(held, expect=None if self.expect is None else FrozenDict(self.expect))

    @cached_property
    def types(self) -> Mapping[str, TensorType]:
        """The type of every tensor, by the full name of its input or node."""
        types = {given.name: given.type for given in self.inputs}
        types.update((node.full_name, node.output) for node in self.nodes)
        return FrozenDict(types)

    @cached_property
    def readers(self) -> Mapping[str, tuple[Node, ...]]:
        """The nodes that read each tensor, in order. A node that reads it twice is listed twice."""
        readers: dict[str, list[Node]] = {name: [] for name in self.types}
        for node in self.nodes:
            for name in node.inputs:
                readers[name].append(node)
        return FrozenDict((name, tuple(found)) for name, found in readers.items())

    @cached_property
    def blocks(self) -> frozenset[tuple[str, ...]]:
        """The paths of all blocks and branches."""
        return frozenset(node.path[: end + 1] for node in self.nodes for end in range(len(node.path)))

    def block_of(self, node: Node) -> tuple[str, ...]:
        """The path of the block that a node is in: for the layer that joins named branches, theirs."""
        whole = (*node.path, node.name)
        return whole if whole in self.blocks else node.path

    def only_reader(self, name: str) -> Node | None:
        """The only node that reads a tensor; None if there are several or none, or it is an output."""
        readers = self.readers[name]
        return readers[0] if len(readers) == 1 and name not in self.outputs else None

    @cached_property
    def needs_gradient(self) -> frozenset[str]:
        """The full names of the nodes whose output has a gradient in training.

        An output of the network depends on them, and they or a node that they depend on are trained.
        """
        names: set[str] = set()
        for node in self.nodes:
            if node.full_name not in self.unused and (node.is_trained or not names.isdisjoint(node.inputs)):
                names.add(node.full_name)
        return frozenset(names)

    def inputs_need_gradient(self, node: Node) -> tuple[bool, ...]:
        """Whether each input of a node has a gradient in training."""
        return tuple(name in self.needs_gradient for name in node.inputs)

    def input_types(self, node: Node) -> tuple[TensorType, ...]:
        """The types of a node's inputs."""
        return tuple(map(self.types.__getitem__, node.inputs))

    def cost(self, node: Node) -> Cost:
        """What a node costs for one sample."""
        return node.layer.cost(self.input_types(node), node.output)

    @cached_property
    def unused(self) -> frozenset[str]:
        """The full names of the nodes that no output depends on."""
        needed = set(self.outputs)
        for node in reversed(self.nodes):
            if node.full_name in needed:
                needed.update(node.inputs)
        return frozenset(node.full_name for node in self.nodes if node.full_name not in needed)

    def node(self, full_name: str) -> Node:
        """The node of a full name; raises KeyError where there is none."""
        for node in self.nodes:
            if node.full_name == full_name:
                return node
        raise KeyError(full_name)

    def __repr__(self) -> str:
        name = self.name if self.name.isprintable() else repr(self.name)
        return f"<Graph {name}: {len(self.nodes)} layers>"
