"""What the backward pass of each layer reads and computes in training."""

from netcalc.graph import Graph, Node
from netcalc.layers import Kept
from netcalc.layers.kept import NOTHING


def backward_macs(graph: Graph, node: Node) -> int:
    """Multiply-adds of one sample's gradients of a layer; what backward computes again is not in them."""
    if node.full_name not in graph.needs_gradient:
        return 0
    types = graph.input_types(node)
    macs = node.layer.backward_macs(types, node.output, graph.inputs_need_gradient(node))
    return macs - node.layer.weight_macs(types, node.output) if node.is_frozen else macs


def kept(graph: Graph, node: Node) -> Kept:
    """What a layer keeps for its backward; nothing where no gradient comes to it."""
    if node.full_name not in graph.needs_gradient:
        return NOTHING
    rule = node.layer.kept_frozen if node.is_frozen else node.layer.kept
    return rule(graph.input_types(node), node.output, graph.inputs_need_gradient(node))
