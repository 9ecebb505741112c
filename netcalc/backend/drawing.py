"""A network's arrays drawn by the initialisation that its graph states, or by each layer's own rules."""

from netcalc.backend.fans import gain_after, matrices
from netcalc.backend.initialisers import Drawing, initialised
from netcalc.backend.kernels.base import Array
from netcalc.backend.precision import ElementType
from netcalc.graph import Graph, Node
from netcalc.layers.initialisation import read_scheme


def drawn_arrays(graph: Graph, seed: int, precision: ElementType) -> dict[str, dict[str, Array]]:
    """The arrays of every layer that does not share another's, by its full name and their own."""
    return {
        node.full_name: initialised(node.params, node.full_name, seed, precision, _drawing(graph, node))
        for node in graph.nodes
        if node.shared is None
    }


def _drawing(graph: Graph, node: Node) -> Drawing | None:
    scheme = node.init or graph.init
    if not scheme or not node.params:
        return None
    return Drawing(read_scheme(scheme), matrices(graph, node), gain_after(graph, node))
