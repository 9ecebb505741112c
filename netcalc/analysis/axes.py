"""What the axes of every tensor of a graph are called."""

from netcalc.graph import Graph, Input
from netcalc.layers.axes import Axes, channels_first


def axis_names(graph: Graph) -> dict[str, Axes]:
    """The axes of each tensor, by the full name of its input or layer."""
    names = {given.name: _of_input(graph, given) for given in graph.inputs}
    for node in graph.nodes:
        given = tuple(names[name] for name in node.inputs)
        names[node.full_name] = node.layer.output_axes(given, graph.input_types(node), node.output)
    return names


def _of_input(graph: Graph, given: Input) -> Axes:
    """What the first layer that is certain of them takes them to be, none before it having moved them."""
    rank = len(given.type.shape)
    default = channels_first(rank)
    same = {given.name}
    for node in graph.nodes:
        if node.inputs and node.inputs[0] in same:
            if (read := node.layer.reads_axes(rank)) is not None:
                return read
            types = graph.input_types(node)
            names = tuple(channels_first(len(type.shape)) for type in types)
            if node.layer.output_axes(names, types, node.output) == default:
                same.add(node.full_name)
    return default
