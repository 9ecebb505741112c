"""What the axes of every tensor of a graph are called."""

from netcalc.graph import Graph
from netcalc.layers.axes import Axes, arranged, channels_first, distinct


def axis_names(graph: Graph) -> dict[str, Axes]:
    """The axes of each tensor, by the full name of its input or layer; no two of one tensor are alike."""
    names = _of_inputs(graph)
    for node in graph.nodes:
        given = tuple(names[name] for name in node.inputs)
        found = node.layer.output_axes(given, graph.input_types(node), node.output)
        names[node.full_name] = distinct(arranged(found))
    return names


def _of_inputs(graph: Graph) -> dict[str, Axes]:
    """What the first layer that is certain of an input takes it to be, otherwise the first that has a guess.

    Each axis has a mark, which layers hand on as they do a name: so an axis that was moved is known again.
    """
    ranks = {given.name: len(given.type.shape) for given in graph.inputs}
    marks = {name: tuple(f"{name}.{axis}" for axis in range(rank)) for name, rank in ranks.items()}
    owners = {mark: name for name, own in marks.items() for mark in own}
    certain, likely = dict[str, Axes](), dict[str, Axes]()
    traced: dict[str, Axes] = dict(marks)
    for node in graph.nodes:
        given = tuple(traced[name] for name in node.inputs)
        for moved in given:
            for name in {owners[mark] for mark in moved if mark in owners} - certain.keys():
                _learn(certain, name, marks[name], moved, node.layer.reads_axes(len(moved)))
                _learn(likely, name, marks[name], moved, node.layer.likely_axes(len(moved)))
        traced[node.full_name] = node.layer.output_axes(given, graph.input_types(node), node.output)
    found = {name: certain.get(name) or likely.get(name) or channels_first(ranks[name]) for name in ranks}
    return {name: distinct(arranged(axes)) for name, axes in found.items()}


def _learn(known: dict[str, Axes], name: str, marks: Axes, moved: Axes, read: Axes | None) -> None:
    """Takes down what an input's axes are called, where a layer that reads all of them knows."""
    called = dict(zip(moved, read, strict=True)) if read else {}
    if name not in known and called.keys() >= set(marks):
        known[name] = tuple(called[mark] for mark in marks)
