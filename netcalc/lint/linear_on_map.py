"""N704: a linear layer on a map that was not flattened."""

from collections.abc import Iterator

from netcalc.layers.linear import Linear
from netcalc.lint.axes import position_axes
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class LinearOnMap(Rule):
    """The last layer is linear and reads C,H,W: it mixes along the width alone.

    Why:
        A linear layer computes each row of its last axis alike. On 64x8x8 it gives 64x8 vectors of scores
        rather than one; a flatten or a global average between is missing.

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, stride: 4, pad: 1}
          - relu
          - linear: {units: 10}

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, stride: 4, pad: 1}
          - relu
          - flatten
          - linear: {units: 10}
    """

    code = "N704"
    name = "linear-on-map"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        axes = position_axes(net)
        for node in net.graph.nodes:
            rank = len(node.output.shape)
            over_width = rank > 2 and rank - 1 in axes.get(node.inputs[0], ())
            if isinstance(node.layer, Linear) and over_width and node.full_name in net.heads:
                message = f"{node.full_name} mixes the last axis of {net.input(node)} alone, to {node.output}"
                yield Finding(node, message, help="put - flatten or - global_avgpool before it")
