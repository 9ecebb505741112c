"""N702: the steps of a recurrent layer flattened for a linear one."""

from collections.abc import Iterator

from netcalc.layers.activation import Activation
from netcalc.layers.linear import Linear
from netcalc.layers.normalisation import Normalisation
from netcalc.layers.recurrent import Recurrent
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class FlattenedRecurrence(Rule):
    """A linear layer reads the outputs of all steps of a recurrent layer side by side.

    Why:
        It has weights of its own for each step, so that the network is bound to one length and forgets
        that the steps are alike. The last state, or the mean over the steps, holds what was gathered.

    Example:
        input: [50, 16]
        layers:
          - lstm: {units: 32}
          - flatten
          - linear: {units: 4}

    Fix:
        input: [50, 16]
        layers:
          - lstm: {units: 32, last: true}
          - linear: {units: 4}
    """

    code = "N702"
    name = "flattened-recurrence"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            made = net.producer(node.inputs[0])
            while made is not None and isinstance(made.layer, (Activation, Normalisation)):
                made = net.producer(made.inputs[0])
            if made is None or not isinstance(made.layer, Recurrent) or not isinstance(node.layer, Linear):
                continue
            if net.input(node).shape[-1] > made.output.shape[-1]:
                steps = made.output.shape[0]
                message = f"{node.full_name} has weights for each of the {steps} steps of {made.full_name}"
                yield Finding(node, message, help=f"write last: true in {made.full_name}, and no flatten")
