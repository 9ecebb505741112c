"""N307: a softmax between layers."""

from collections.abc import Iterator

from netcalc.layers.activation import Activation, Softmax
from netcalc.layers.convolution import Convolution
from netcalc.layers.linear import Linear
from netcalc.layers.normalisation import Normalisation
from netcalc.layers.recurrent import Recurrent
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule

READING = (Convolution, Linear, Recurrent, Normalisation, Activation)
"""Families whose input is features rather than attention weights."""


class InnerSoftmax(Rule):
    """A softmax is read by a convolution, a linear or recurrent layer, a normalisation or an activation.

    Silent where its output weighs something, by a product: that is attention.

    Why:
        Its outputs sum to 1, so that with many channels each is near zero, and only one can be large: the
        layers behind see little but which one it is. Hidden layers take ReLU, GELU or SiLU.

    Example:
        input: [64]
        layers:
          - linear: {units: 128}
          - softmax
          - linear: {units: 10}

    Fix:
        input: [64]
        layers:
          - linear: {units: 128}
          - relu
          - linear: {units: 10}
    """

    code = "N307"
    name = "inner-softmax"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            made = net.producer(node.inputs[0])
            if made is None or not isinstance(made.layer, Softmax):
                continue
            if isinstance(node.layer, READING):
                message = f"{made.full_name} is a softmax between layers: {node.full_name} reads shares of 1"
                twice = isinstance(node.layer, Activation)
                help = "leave it out" if twice else "take relu or gelu in its place"
                yield Finding(made, message, help=help)
