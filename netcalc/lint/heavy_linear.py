"""N502: a linear layer on a flattened map that holds most of the parameters."""

from collections.abc import Iterator

from netcalc.diagnostics import Note
from netcalc.graph import Node
from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule

_BETWEEN = ("activation", "arithmetic", "regularisation")


class HeavyLinear(Rule):
    """A linear layer on a flattened map holds more than half of the parameters.

    Why:
        It has a weight for each position of each channel. A global average over the positions in its
        place (Lin et al. 2013) needs one for each channel, overfits less, and takes any input size.

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - flatten
          - linear: {units: 128}
          - relu
          - linear: {units: 10}

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - global_avgpool
          - linear: {units: 128}
          - relu
          - linear: {units: 10}
    """

    code = "N502"
    name = "heavy-linear"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        whole = net.report.totals.params
        for node in net.graph.nodes:
            params = net.rows[node.full_name].figures.params
            flatten = _flatten_above(net, node)
            if flatten is not None and params * 2 > whole:
                places = positions(net.input(flatten))
                saved = (params - _biases(node)) * (places - 1) // places
                message = f"{node.full_name} holds {params:,} of {whole:,} parameters"
                note = (
                    f"on a global average of its {net.input(flatten)} input it would hold {params - saved:,}"
                )
                help = f"take - global_avgpool in place of {flatten.full_name}"
                yield Finding(node, message, (Note(note),), help)


def _flatten_above(net: Net, node: Node) -> Node | None:
    """The flattening of a map of several positions that a linear layer reads."""
    if node.layer.kind != "linear":
        return None
    for above in net.upward(node):
        if above.layer.kind == "flatten" and positions(net.input(above)) > 1:
            return above
        if above.layer.family not in _BETWEEN:
            return None
    return None


def _biases(node: Node) -> int:
    return sum(param.numel for param in node.params if param.name == "bias")
