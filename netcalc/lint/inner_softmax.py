"""N307: a softmax between layers."""

from collections.abc import Iterator

from netcalc.layers.activation import Activation
from netcalc.layers.normalisation import Normalisation
from netcalc.layers.recurrent import Recurrent
from netcalc.layers.softmax import Softmax
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class InnerSoftmax(Rule):
    """A softmax is read by a convolution, a linear or recurrent layer, a normalisation or an activation.

    Silent where its output weighs something, by a product: that is attention.

    Why:
        Its outputs sum to 1, so that with many channels each is near zero, and only one can be large: the
        later layers see little but which one it is. Hidden layers take ReLU, GELU or SiLU.

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
            twice = isinstance(node.layer, Activation)
            if twice or node.layer.weighted or isinstance(node.layer, (Recurrent, Normalisation)):
                message = f"{made.full_name} is a softmax between layers: {node.full_name} reads shares of 1"
                help = "leave it out" if twice else "take relu or gelu in its place"
                yield Finding(made, message, help=help)
