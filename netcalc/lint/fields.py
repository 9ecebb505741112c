"""The receptive field that counts: that of the last convolution."""

from netcalc.analysis import Field
from netcalc.graph import Node
from netcalc.lint.net import Net


def last_convolution(net: Net) -> tuple[Node, Field] | None:
    """The last convolution that an output depends on, and its field; None where it has none.

    None also where attention or recurrence follows, which relates all positions to each other.
    """
    for row in reversed(net.report.rows):
        if row.node.layer.family in ("attention", "recurrent"):
            break
        if row.node.layer.family == "convolution" and row.used:
            return None if row.receptive_field is None else (row.node, row.receptive_field)
    return None
