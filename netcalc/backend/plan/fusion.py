"""A graph as fused stages: a layer with the layers that are computed together with it.

A batch norm after a convolution or linear layer becomes part of its weights, since in inference both are
linear. An activation, and the addition at the end of a residual block, are applied while the result is
still in the cache. Layers without effect in inference only rename their input.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from netcalc.backend.kernels.merge import MERGES
from netcalc.backend.plan.convolution.choice import is_image_convolution
from netcalc.backend.plan.epilogues import EPILOGUES
from netcalc.graph import Graph, Node
from netcalc.layers import Layer
from netcalc.layers.linear import Linear
from netcalc.layers.merge import Add
from netcalc.layers.normalisation import BatchNorm
from netcalc.tensor import TensorType


@dataclass
class FusedStage:
    """A layer and what is fused into it. Tensors go by the names that layers without effect resolve to."""

    node: Node
    inputs: tuple[str, ...]
    output: str
    norm: Node | None = None
    added: str | None = None
    activation: Layer | None = None
    fused: list[Node] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The kind of the first layer."""
        return self.node.layer.kind


def fused_stages(graph: Graph) -> tuple[list[FusedStage], dict[str, str]]:
    """The stages in order, and for each name of a tensor the one that holds it."""
    holder = {name: name for name in graph.types}
    for node in graph.nodes:
        if node.inputs and node.layer.is_identity(graph.types[node.inputs[0]], node.output):
            holder[node.full_name] = holder[node.inputs[0]]
    nodes = [node for node in graph.nodes if holder[node.full_name] == node.full_name]
    readers: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node.inputs:
            readers.setdefault(holder[name], []).append(node)
    uses = Counter({name: len(found) for name, found in readers.items()})
    uses.update(holder[name] for name in graph.outputs)
    computed = {given.name for given in graph.inputs}
    fused: set[str] = set()
    stages = []
    for node in nodes:
        if node.full_name in fused:
            continue
        inputs = tuple(holder[name] for name in node.inputs)
        stage = FusedStage(node, inputs, node.full_name)
        while uses[stage.output] == 1 and (follower := readers.get(stage.output)):
            if not _fuse(stage, follower[0], computed, holder, graph.types):
                break
            fused.add(follower[0].full_name)
            stage.fused.append(follower[0])
            stage.output = follower[0].full_name
        computed.add(stage.output)
        stages.append(stage)
    return stages, holder


def _takes_epilogue(layer: Layer) -> bool:
    """Whether a layer's operation can go on with its result in place."""
    if isinstance(layer, BatchNorm):
        return layer.running
    return layer.kind in MERGES or _has_weights(layer)


def _has_weights(layer: Layer) -> bool:
    """Whether a layer's operation multiplies by weights, so that it can take a batch norm and an addition."""
    return isinstance(layer, Linear) or is_image_convolution(layer)


def _fuse(
    stage: FusedStage, node: Node, computed: set[str], holder: dict[str, str], types: Mapping[str, TensorType]
) -> bool:
    """Add a layer to a stage if it can be fused; returns whether it was."""
    if stage.activation is not None or not _takes_epilogue(stage.node.layer):
        return False
    layer = node.layer
    if layer.kind in EPILOGUES:
        stage.activation = layer
        return True
    if not _has_weights(stage.node.layer):
        return False
    if isinstance(layer, BatchNorm) and layer.running and stage.norm is None and stage.added is None:
        if isinstance(stage.node.layer, Linear) and len(node.output.shape) != 1:
            return False
        stage.norm = node
        return True
    if isinstance(layer, Add) and stage.added is None and len(node.inputs) == 2:
        others = [holder[name] for name in node.inputs if holder[name] != stage.output]
        if len(others) == 1 and others[0] in computed and types[others[0]] == types[stage.output]:
            stage.added = others[0]
            return True
    return False
