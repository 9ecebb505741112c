"""A graph as the stages of a plan: layers, each with the ones behind it that work on its result in place.

A batch norm behind a convolution or linear layer becomes part of its weights, since in inference both
are linear. An activation, and the addition that ends a residual block, follow while the result is still
in the cache. Layers that do nothing in inference are only names.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netcalc.backend.plan.activations import IN_PLACE
from netcalc.graph import Graph, Node
from netcalc.layers import Layer
from netcalc.tensor import TensorType

_LINEAR = ("conv", "depthwise_conv", "linear")

MERGES: dict[str, np.ufunc] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
}  # fmt: skip
"""Kinds that join tensors element by element, two at a time."""


@dataclass
class Stage:
    """A layer and what is fused into it. Names of tensors are those that layers without effect lead to."""

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


def stages(graph: Graph) -> tuple[list[Stage], dict[str, str]]:
    """The stages in order, and for each name of a tensor the one that holds it."""
    holder = {name: name for name in graph.types}
    for node in graph.nodes:
        if _is_idle(graph, node):
            holder[node.full_name] = holder[node.inputs[0]]
    nodes = [node for node in graph.nodes if holder[node.full_name] == node.full_name]
    readers: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node.inputs:
            readers.setdefault(holder[name], []).append(node)
    uses = Counter({name: len(found) for name, found in readers.items()})
    uses.update(holder[name] for name in graph.outputs)
    made = {given.name for given in graph.inputs}
    done: set[str] = set()
    result = []
    for node in nodes:
        if node.full_name in done:
            continue
        inputs = tuple(holder[name] for name in node.inputs)
        stage = Stage(node, inputs, node.full_name)
        while uses[stage.output] == 1 and (follower := readers.get(stage.output)):
            if not _fused(stage, follower[0], made, holder, graph.types):
                break
            done.add(follower[0].full_name)
            stage.fused.append(follower[0])
            stage.output = follower[0].full_name
        made.add(stage.output)
        result.append(stage)
    return result, holder


def _is_idle(graph: Graph, node: Node) -> bool:
    """Whether a layer gives in inference what it is given."""
    if node.layer.family == "regularisation" or node.layer.kind == "identity":
        return True
    pools = node.layer.kind in ("adaptive_avgpool", "adaptive_maxpool")
    return pools and node.output == graph.types[node.inputs[0]]


def is_planned_convolution(layer: Any) -> bool:
    """Whether a layer is a convolution that the algorithms are for: of images, with zeros around them."""
    return layer.kind in _LINEAR[:2] and len(layer.kernel) == 2 and layer.padding_mode == "zeros"


def _is_finishing(layer: Any) -> bool:
    """Whether a layer's step can go on with its result in place."""
    if layer.kind == "batchnorm":
        return bool(layer.running)
    return layer.kind == "linear" or layer.kind in MERGES or is_planned_convolution(layer)


def _fused(
    stage: Stage, node: Node, made: set[str], holder: dict[str, str], shapes: dict[str, TensorType]
) -> bool:
    """Take a layer into a stage, where it can follow what is there."""
    if stage.activation is not None or not _is_finishing(stage.node.layer):
        return False
    layer: Any = node.layer
    if layer.kind in IN_PLACE:
        stage.activation = layer
        return True
    if stage.kind not in _LINEAR:
        return False
    if layer.kind == "batchnorm" and layer.running and stage.norm is None and stage.added is None:
        if stage.kind == "linear" and len(node.output.shape) != 1:
            return False
        stage.norm = node
        return True
    if layer.kind == "add" and stage.added is None and len(node.inputs) == 2:
        others = [holder[name] for name in node.inputs if holder[name] != stage.output]
        if len(others) == 1 and others[0] in made and shapes[others[0]] == shapes[stage.output]:
            stage.added = others[0]
            return True
    return False
