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
from netcalc.backend.drawing import drawn_arrays
from netcalc.backend.errors import refuse
from netcalc.backend.weights import read_weights
from netcalc.diagnostics import Note, nearest
from netcalc.graph import Graph, Node
from netcalc.tensor import Shape, format_shape
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

    def changed(node: Node) -> Node:
        if (node.shared or node.full_name) not in frozen:
            return node
        return node._replace(params=tuple(param._replace(frozen=True) for param in node.params))

    return replace(graph, nodes=tuple(map(changed, graph.nodes)))


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


def _meant(graph: Graph, owners: Sequence[str], pattern: str) -> str:
    """What a pattern that fits nothing may have been meant to be."""
    sharers = {node.full_name: node.shared for node in graph.nodes if node.shared is not None}
    if pattern in sharers:
        return f"{pattern} uses the parameters of {sharers[pattern]}; name that"
    blocks = {".".join(name.split(".")[:end]) for name in owners for end in range(1, name.count(".") + 2)}
    match = nearest(pattern.strip("*"), blocks)
    return f"did you mean {match}?" if match else f"it has {', '.join(owners[:_SHOWN])}" + (
        ", ..." if len(owners) > _SHOWN else ""
    )


def reinit(network: Network, patterns: Iterable[str], seed: int | None = None) -> list[str]:
    """Draw the parameters of some layers anew, and set their statistics back; the names of these layers.

    From the network's own seed they are what it began with; `seed` is another. Raises ExecutionError for a
    pattern that fits no layer.
    """
    names = layers_of(network.graph, patterns, "reinit")
    drawn = drawn_arrays(network.graph, network.seed if seed is None else seed, network.precision)
    for node in network.graph.nodes:
        if node.full_name in names:
            for name, array in network.arrays_of(node).items():
                array[...] = drawn[node.full_name][name]
    return names


def load_partly(
    network: Network, path: str | os.PathLike[str], drawn_anew: Iterable[str] = ()
) -> list[str]:
    """Load a weight file, but for layers that are drawn anew; the names of these.

    What the file has for them is left out, of another size too, as for a head of other classes. Raises
    ExecutionError, with nothing changed, where the file cannot be read, where a pattern fits no layer, and
    for every other layer that the file does not fit, with what to write.
    """
    names = layers_of(network.graph, drawn_anew, "reinit")
    shapes = {name: array.shape for name, array in network.parameters().items()}
    own = {name: shape for name, shape in shapes.items() if name.rpartition(".")[0] not in names}
    read_left_out = [f"{name}." for name in names]

    def check(found: Mapping[str, Shape], _: Mapping[str, Shape], where: str) -> None:
        others = {name: shape for name, shape in found.items() if not name.startswith(tuple(read_left_out))}
        _require_fit(network.graph, others, own, where)

    found = read_weights(path, own, check)
    arrays = {name: network.precision.taken(array, name) for name, array in found.items()}
    for name, array in arrays.items():
        network.parameters()[name][...] = array
    return reinit(network, names)
