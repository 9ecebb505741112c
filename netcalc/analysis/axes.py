"""The names of the axes of every tensor of a graph."""

from netcalc.graph import Graph
from netcalc.layers.axes import Axes, arranged, channels_first, distinct


def axis_names(graph: Graph) -> dict[str, Axes]:
    """The axes of each tensor by the full name of its input or layer; names are unique within a tensor."""
    names = _input_axes(graph)
    for node in graph.nodes:
        inputs = tuple(names[name] for name in node.inputs)
        output = node.layer.output_axes(inputs, graph.input_types(node), node.output)
        names[node.full_name] = distinct(arranged(output))
    return names


def _input_axes(graph: Graph) -> dict[str, Axes]:
    """The axes of each input by the first layer that requires certain axes, or that likely reads them.

    Each axis gets a label, which layers propagate as they do a name: so a permuted axis is recognised.
    """
    ranks = {given.name: len(given.type.shape) for given in graph.inputs}
    labels = {name: tuple(f"{name}.{axis}" for axis in range(rank)) for name, rank in ranks.items()}
    input_of = {label: name for name, own in labels.items() for label in own}
    certain, likely = dict[str, Axes](), dict[str, Axes]()
    propagated: dict[str, Axes] = dict(labels)
    for node in graph.nodes:
        inputs = tuple(propagated[name] for name in node.inputs)
        for tensor in inputs:
            for name in {input_of[label] for label in tensor if label in input_of} - certain.keys():
                _assign(certain, name, labels[name], tensor, node.layer.reads_axes(len(tensor)))
                _assign(likely, name, labels[name], tensor, node.layer.likely_axes(len(tensor)))
        propagated[node.full_name] = node.layer.output_axes(inputs, graph.input_types(node), node.output)
    axes = {name: certain.get(name) or likely.get(name) or channels_first(ranks[name]) for name in ranks}
    return {name: distinct(arranged(own)) for name, own in axes.items()}


def _assign(known: dict[str, Axes], name: str, labels: Axes, tensor: Axes, read: Axes | None) -> None:
    """Name an input's axes after those that a layer reads, if it reads all of them and none are known."""
    axis_of = dict(zip(tensor, read, strict=True)) if read else {}
    if name not in known and axis_of.keys() >= set(labels):
        known[name] = tuple(axis_of[label] for label in labels)
