"""N405: a softmax that a cross-entropy loss computes itself."""

from collections.abc import Iterator

from netcalc.layers.activation import Softmax
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class SoftmaxOutput(Rule):
    """An output of the network is a softmax.

    Why:
        Cross-entropy losses take scores and compute the softmax themselves, with the logarithm in
        one stable step: PyTorch's CrossEntropyLoss, and netcalc's. After a softmax they see numbers
        between 0 and 1, and the gradient of a sure mistake vanishes. Probabilities are taken outside
        the network, where they are wanted.

    Example:
        input: [64]
        layers:
          - linear: {units: 10}
          - softmax

    Fix:
        input: [64]
        layers:
          - linear: {units: 10}
    """

    code = "N405"
    name = "softmax-output"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            if type(node.layer) is Softmax and node.full_name in net.outputs:
                message = (
                    f"the output {node.full_name} is a softmax, which a cross-entropy loss computes itself"
                )
                yield Finding(node, message, help="leave it out, and take the softmax where it is wanted")
