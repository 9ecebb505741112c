"""What the backward pass of each layer reads and computes."""

from netcalc.graph import Graph, Node
from netcalc.layers import Saved
from netcalc.layers.saved import NOTHING


def backward_macs(graph: Graph, node: Node) -> int:
    """Multiply-adds of a layer's gradients for one sample, without what backward recomputes."""
    if node.full_name not in graph.needs_gradient:
        return 0
    types = graph.input_types(node)
    macs = node.layer.backward_macs(types, node.output, graph.inputs_need_gradient(node))
    return macs - node.layer.weight_macs(types, node.output) if node.is_frozen else macs


def saved_tensors(graph: Graph, node: Node) -> Saved:
    """What a layer saves for its backward; nothing where its output has no gradient."""
    if node.full_name not in graph.needs_gradient:
        return NOTHING
    rule = node.layer.saved_frozen if node.is_frozen else node.layer.saved
    return rule(graph.input_types(node), node.output, graph.inputs_need_gradient(node))
