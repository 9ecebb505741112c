"""Spatial axes of tensors, and linear layers that run along them."""

from netcalc.graph import Node
from netcalc.layers.convolution import Convolution
from netcalc.layers.linear import Linear
from netcalc.layers.pooling import Pooling
from netcalc.lint.net import Net


def position_axes(net: Net) -> dict[str, frozenset[int]]:
    """The axes of each tensor that are spatial axes of a convolution's or a pool's output.

    Tensors that depend on neither are left out: whether a T x D input is a sequence is not known.
    """
    axes: dict[str, frozenset[int]] = {}
    for node in net.graph.nodes:
        layer = node.layer
        if isinstance(layer, (Convolution, Pooling)):
            axes[node.full_name] = frozenset(range(1, len(node.output.shape)))
        elif known := [name for name in node.inputs if name in axes]:
            sources = layer.source_axes(net.graph.types[known[0]]) if len(node.inputs) == 1 else ()
            positions = axes[known[0]]
            axes[node.full_name] = (
                frozenset(axis for axis, read in enumerate(sources) if read & positions)
                if sources
                else positions
            )
    return axes


def mixes_positions(node: Node, positions: dict[str, frozenset[int]]) -> bool:
    """Whether a layer is linear along a spatial axis, as in a mixer."""
    last = len(node.output.shape) - 1
    return isinstance(node.layer, Linear) and last in positions.get(node.inputs[0], ())
