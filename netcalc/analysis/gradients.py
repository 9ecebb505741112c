"""Which tensors a gradient goes back to, and the multiply-adds that it takes."""

from collections.abc import Set

from netcalc.graph import Graph, Node
from netcalc.layers import Kept
from netcalc.layers.kept import NOTHING


def reached(graph: Graph) -> frozenset[str]:
    """The layers, by full name, whose output has a gradient in training.

    An output of the network depends on them, and they or something before them are trained.
    """
    names: set[str] = set()
    for node in graph.nodes:
        if node.full_name not in graph.unused and (node.is_trained or not names.isdisjoint(node.inputs)):
            names.add(node.full_name)
    return frozenset(names)


def backward_macs(graph: Graph, node: Node, reached: Set[str]) -> int:
    """Multiply-adds of one sample's gradients of a layer; what backward computes again is not in them."""
    if node.full_name not in reached:
        return 0
    types = graph.input_types(node)
    macs = node.layer.backward_macs(types, node.output, needs(node, reached))
    return macs - node.layer.weight_macs(types, node.output) if node.is_frozen else macs


def kept(graph: Graph, node: Node, reached: Set[str]) -> Kept:
    """What a layer keeps for its backward; nothing where no gradient comes to it."""
    if node.full_name not in reached:
        return NOTHING
    rule = node.layer.kept_frozen if node.is_frozen else node.layer.kept
    return rule(graph.input_types(node), node.output, needs(node, reached))


def needs(node: Node, reached: Set[str]) -> tuple[bool, ...]:
    """Whether a gradient goes back to each of a node's inputs."""
    return tuple(name in reached for name in node.inputs)
