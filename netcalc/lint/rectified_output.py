"""N305: a ReLU as the output."""

from collections.abc import Iterator

from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule


class RectifiedOutput(Rule):
    """The network's last linear layer is read by a ReLU, and that is an output.

    Why:
        Scores and regressed values may be negative; a unit that is below zero for every sample gets no
        gradient and never comes back. Cross-entropy wants scores as they are.

    Example:
        input: [64]
        layers:
          - linear: {units: 32}
          - relu
          - linear: {units: 10}
          - relu

    Fix:
        input: [64]
        layers:
          - linear: {units: 32}
          - relu
          - linear: {units: 10}
    """

    code = "N305"
    name = "rectified-output"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for name in net.graph.outputs:
            node = net.producer(name)
            if node is None or not node.layer.rectifies:
                continue
            head = net.producer(node.inputs[0])
            if head is not None and head.full_name in net.heads and positions(head.output) == 1:
                message = f"the output {node.full_name} cuts off what {head.full_name} gives below zero"
                yield Finding(node, message, help="leave it out")
