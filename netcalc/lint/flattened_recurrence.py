"""N702: the steps of a recurrent layer flattened for a linear one."""

from collections.abc import Iterator

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
            made = net.maker(node.inputs[0])
            while made is not None and made.layer.family in ("activation", "normalisation"):
                made = net.maker(made.inputs[0])
            if made is None or made.layer.family != "recurrent" or node.layer.family != "linear":
                continue
            if net.input(node).shape[-1] > made.output.shape[-1]:
                steps = made.output.shape[0]
                message = f"{node.full_name} has weights for each of the {steps} steps of {made.full_name}"
                yield Finding(node, message, help=f"write last: true in {made.full_name}, and no flatten")
