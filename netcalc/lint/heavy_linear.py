"""N502: a linear layer on a flattened map that holds most of the parameters."""

from collections.abc import Iterator

from netcalc.diagnostics import Note, Severity
from netcalc.graph import Node
from netcalc.layers.activation import Unary
from netcalc.layers.convolution import Convolution
from netcalc.layers.linear import Linear
from netcalc.layers.regularisation import Regularisation
from netcalc.layers.shape import Flatten
from netcalc.lint.axes import position_axes
from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule


class HeavyLinear(Rule):
    """A linear layer on a flattened map holds more than half of the parameters.

    A map is what a convolution has made: the pixels of an image that a plain MLP reads have no
    average. A note where the places matter, which an average forgets: where the network has several
    inputs or outputs, as an encoder and a Siamese net, or makes a map again.

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
                severity: Severity = "note" if _needs_places(net, node) else "warning"
                yield Finding(node, message, (Note(note),), help, severity)


def _needs_places(net: Net, node: Node) -> bool:
    """Whether the network has several inputs or outputs, or convolutions after a linear layer."""
    after = net.graph.nodes[net.graph.nodes.index(node) :]
    makes_map = any(isinstance(other.layer, Convolution) for other in after)
    return len(net.graph.inputs) > 1 or len(net.outputs) > 1 or makes_map


def _flatten_above(net: Net, node: Node) -> Node | None:
    """The flatten of a map of several positions that a linear layer reads; None where there is none."""
    if not isinstance(node.layer, Linear):
        return None
    for above in net.upward(node):
        if isinstance(above.layer, Flatten) and positions(net.input(above)) > 1:
            return above if above.inputs[0] in position_axes(net) else None
        if not isinstance(above.layer, (Unary, Regularisation)):
            return None
    return None


def _biases(node: Node) -> int:
    return sum(param.numel for param in node.params if param.name == "bias")
