"""The receptive field of the last convolution."""

from netcalc.analysis import Field
from netcalc.graph import Node
from netcalc.layers.convolution import Convolution
from netcalc.layers.merge import Merge
from netcalc.lint.axes import mixes_positions, position_axes
from netcalc.lint.net import Net


def last_convolution(net: Net) -> tuple[Node, Field] | None:
    """The last convolution that an output depends on, and its field; None where it has none.

    If branches join after it, the field is that of the join, since the convolution may be in the branch of
    the smallest field. None also if attention, recurrence or a mixer follows, which relates all positions.
    """
    positions = position_axes(net)
    joined: Field | None = None
    for row in reversed(net.report.rows):
        layer = row.node.layer
        mixes = len(row.output_shape) > 1 and mixes_positions(row.node, positions)
        if mixes or layer.mixes_tokens:
            break
        if isinstance(layer, Merge) and row.used:
            joined = row.receptive_field
        if isinstance(layer, Convolution) and row.used:
            own = row.receptive_field
            return None if own is None else (row.node, joined or own)
    return None
