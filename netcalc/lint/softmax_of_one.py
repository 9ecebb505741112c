"""N308: a softmax over a single value."""

from collections.abc import Iterator

from netcalc.layers.softmax import Softmax
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class SoftmaxOfOne(Rule):
    """A softmax runs over an axis of size 1: its output is 1, whatever comes in; a log-softmax's is 0.

    Why:
        One share of one is all. Nothing is learned through it. A single score takes a sigmoid, outside the
        network where the loss computes it; a softmax over the channels of C,H,W has `axis: 0`.

    Example:
        input: [64]
        layers:
          - linear: {units: 1}
          - softmax

    Fix:
        input: [64]
        layers:
          - linear: {units: 1}
          - sigmoid
    """

    code = "N308"
    name = "softmax-of-one"
    severity = "error"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            if isinstance(node.layer, Softmax) and node.output.shape[node.layer.axis] == 1:
                message = (
                    f"{node.full_name} runs over an axis of size 1 of {node.output}: its output is constant"
                )
                yield Finding(node, message, help="take sigmoid, or another axis:")
