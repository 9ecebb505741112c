"""N304: an activation of an activation."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.layers.activation import Activation, ReLU
from netcalc.layers.pooling import Pooling
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class RepeatedActivation(Rule):
    """An activation reads another one: the same kind twice, or any beside a ReLU.

    A ReLU after the pool of another one changes nothing either.

    Why:
        A second ReLU changes nothing, and a sigmoid or tanh of a ReLU loses half of its range. Mostly a
        convolution or linear layer between them was forgotten, or a block ends and the next begins with one.

    Example:
        input: [64]
        layers:
          - linear: {units: 64}
          - relu
          - relu
          - linear: {units: 10}

    Fix:
        input: [64]
        layers:
          - linear: {units: 64}
          - relu
          - linear: {units: 64}
          - relu
          - linear: {units: 10}
    """

    code = "N304"
    name = "repeated-activation"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            first = _first(net, node)
            if first is None or not (
                isinstance(node.layer, Activation) and isinstance(first.layer, Activation)
            ):
                continue
            if node.layer.kind == first.layer.kind or node.layer.rectifies or first.layer.rectifies:
                message = f"{node.full_name} reads {first.full_name}: an activation of an activation"
                yield Finding(node, message, help="leave one of them out")


def _first(net: Net, node: Node) -> Node | None:
    """The layer whose output an activation reads; for a ReLU the ReLU before a pool, as both are >= 0."""
    made = first = net.producer(node.inputs[0])
    while first is not None and isinstance(node.layer, ReLU) and isinstance(first.layer, Pooling):
        first = net.producer(first.inputs[0])
    return first if first is not None and isinstance(first.layer, ReLU) else made
