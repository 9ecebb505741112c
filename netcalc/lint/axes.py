"""Which axes of a tensor are positions, and which linear layers run along them."""

from netcalc.graph import Node
from netcalc.layers.convolution import Convolution
from netcalc.layers.linear import Linear
from netcalc.layers.pooling import Pooling
from netcalc.lint.net import Net


def position_axes(net: Net) -> dict[str, frozenset[int]]:
    """The axes of each tensor that run along the positions of a convolution's or a pool's output.

    Tensors that come from none are left out: whether a T x D input is a sequence is not known.
    """
    found: dict[str, frozenset[int]] = {}
    for node in net.graph.nodes:
        layer = node.layer
        if isinstance(layer, (Convolution, Pooling)):
            found[node.full_name] = frozenset(range(1, len(node.output.shape)))
        elif known := [name for name in node.inputs if name in found]:
            sources = layer.came_from(net.graph.types[known[0]]) if len(node.inputs) == 1 else ()
            positions = found[known[0]]
            found[node.full_name] = (
                frozenset(axis for axis, read in enumerate(sources) if read & positions)
                if sources
                else positions
            )
    return found


def mixes_positions(node: Node, positions: dict[str, frozenset[int]]) -> bool:
    """Whether a layer is linear over positions, as in a mixer."""
    last = len(node.output.shape) - 1
    return isinstance(node.layer, Linear) and last in positions.get(node.inputs[0], ())
