"""The receptive field that counts: that of the last convolution."""

from netcalc.analysis import Field
from netcalc.graph import Node
from netcalc.lint.axes import mixes_positions, position_axes
from netcalc.lint.net import Net


def last_convolution(net: Net) -> tuple[Node, Field] | None:
    """The last convolution that an output depends on, and its field; None where it has none.

    None also where attention, recurrence or a mixer follows, which relates all positions to each other.
    """
    positions = position_axes(net)
    for row in reversed(net.report.rows):
        mixes = len(row.output_shape) > 1 and mixes_positions(row.node, positions)
        if mixes or row.node.layer.family in ("attention", "recurrent"):
            break
        if row.node.layer.family == "convolution" and row.used:
            return None if row.receptive_field is None else (row.node, row.receptive_field)
    return None
