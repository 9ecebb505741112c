"""Transfer: layers that are frozen, layers that are drawn anew, and weights of another training.

    graph = freeze(load("lenet5"), ["conv*"])
    network = Network(graph)
    load_partly(network, "digits.safetensors", drawn_anew=["fc8"])

Patterns fit layers and the blocks around them, as `conv*` and `stage1`.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from netcalc.backend import Network
from netcalc.backend.errors import refuse
from netcalc.backend.weights import listed_notes, read_weights, weight_differences
from netcalc.diagnostics import nearest
from netcalc.graph import Graph, Node
from netcalc.tensor import Shape
from netcalc.train.parameters import matched

_SHOWN = 5
"""Differences that an error lists before it counts the rest."""


def freeze(graph: Graph, patterns: Iterable[str]) -> Graph:
    """The graph with some layers frozen, as `trainable: false` in a spec does; itself where none are named.

    Layers that share parameters are frozen with their owner, which the patterns name. Raises ExecutionError
    for a pattern that fits no layer and no block with parameters.
    """
    frozen = set(layers_of(graph, patterns, "freeze"))
    if not frozen:
        return graph
    nodes = (_marked(n, True) if (n.shared or n.full_name) in frozen else n for n in graph.nodes)
    return replace(graph, nodes=tuple(nodes))


def unfrozen(graph: Graph) -> Graph:
    """The graph with all of its layers trained; itself where they are."""
    if not any(node.is_frozen for node in graph.nodes):
        return graph
    return replace(graph, nodes=tuple(_marked(node, False) for node in graph.nodes))


def _marked(node: Node, frozen: bool) -> Node:
    return node._replace(params=tuple(param._replace(frozen=frozen) for param in node.params))


def layers_of(graph: Graph, patterns: Iterable[str], what: str) -> list[str]:
    """The layers with parameters of their own, or running statistics, that patterns fit, in order.

    Raises ExecutionError, which begins with `what`, for a pattern that fits none.
    """
    owners = [node.full_name for node in graph.nodes if node.params and node.shared is None]
    found: set[str] = set()
    for pattern in patterns:
        try:
            found.update(matched(owners, pattern))
        except ValueError:
            refuse(
                "E950",
                f"{what}: no layer or block with parameters fits {pattern!r}",
                help=_meant(graph, owners, pattern),
            )
    return [name for name in owners if name in found]


def reinit(network: Network, patterns: Iterable[str], seed: int | None = None) -> list[str]:
    """Draw the parameters of some layers anew, and set their statistics back; the names of these layers.

    From the network's own seed they are what it began with; `seed` is another. Raises ExecutionError for a
    pattern that fits no layer and no block.
    """
    names = layers_of(network.graph, patterns, "reinit")
    if names:
        drawn = Network(network.graph, network.seed if seed is None else seed, network.precision.name)
        for node in network.graph.nodes:
            if node.full_name in names:
                for name, array in network.arrays_of(node).items():
                    array[...] = drawn.arrays_of(node)[name]
    return names


def load_partly(network: Network, path: str | os.PathLike[str], drawn_anew: Iterable[str] = ()) -> list[str]:
    """Load a weight file, but for layers that are drawn anew; the names of these.

    What the file has for them is left out, of another size too, as for a head of other classes. Raises
    ExecutionError, with nothing changed, where the file cannot be read, where a pattern fits no layer, and
    for every other layer that the file does not fit, with what to write.
    """
    names = layers_of(network.graph, drawn_anew, "reinit")
    left_out = tuple(f"{name}." for name in names)
    own = {name: array.shape for name, array in network.parameters().items() if not name.startswith(left_out)}

    def check(found: Mapping[str, Shape], shapes: Mapping[str, Shape], where: str) -> None:
        others = {name: shape for name, shape in found.items() if not name.startswith(left_out)}
        problems = weight_differences(others, shapes)
        if problems:
            notes, help = listed_notes(problems.values()), _cure(problems, network.graph)
            refuse("E951", f"{where} does not fit {network.graph.name}", notes=notes, help=help)

    found = read_weights(path, own, check)
    taken = {name: network.precision.taken(array, name) for name, array in found.items()}
    for name, array in taken.items():
        network.parameters()[name][...] = array
    return reinit(network, names)


def _cure(problems: Iterable[str], graph: Graph) -> str:
    """What to write where layers of the network are not in the file, or of another size."""
    layer_of = {
        f"{node.full_name}.{param.name}": node.full_name for node in graph.nodes for param in node.params
    }
    layers = list(dict.fromkeys(layer_of[name] for name in problems if name in layer_of))
    others = list(dict.fromkeys(name.rpartition(".")[0] for name in problems if name not in layer_of))
    if not layers:
        return f"add {', '.join(others[:_SHOWN])} to the spec, or take a file without"
    if len(layers) == len(others) == 1:
        return f"call {layers[0]} {others[0]} in the spec, and write --reinit {others[0]}"
    options = " ".join(f"--reinit {name}" for name in layers[:_SHOWN])
    return f"{options} draws {'it' if len(layers) == 1 else 'them'} anew"


def _meant(graph: Graph, owners: Sequence[str], pattern: str) -> str:
    """What a pattern that fits nothing may have been meant to be."""
    sharers = {node.full_name: node.shared for node in graph.nodes if node.shared is not None}
    if pattern in sharers:
        return f"{pattern} uses the parameters of {sharers[pattern]}; name that"
    blocks = {".".join(name.split(".")[:end]) for name in owners for end in range(1, name.count(".") + 2)}
    match = nearest(pattern.strip("*"), blocks)
    if match:
        return f"did you mean {match}?"
    return f"there are {', '.join(owners[:_SHOWN])}" + (", ..." if len(owners) > _SHOWN else "")
