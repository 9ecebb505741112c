"""N303: many saturating activations in a row."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.layers.merge import Add, Multiply
from netcalc.layers.normalisation import Normalisation
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule

DEEP = 5
"""The number of saturating activations on one path from which gradients vanish."""


class SaturatingStack(Rule):
    """Five sigmoids or tanhs or more stand on one path, with no normalisation or shortcut between.

    A sigmoid whose output multiplies another tensor is a gate and does not count.

    Why:
        The slope of a sigmoid is at most 1/4 and that of a tanh at most 1, both near 0 where they
        saturate. Gradients shrink by the product of the slopes, so the first layers hardly learn
        (Glorot and Bengio 2010).

    Example:
        input: [64]
        layers:
          - linear: {units: 64}
          - sigmoid
          - linear: {units: 64}
          - sigmoid
          - linear: {units: 64}
          - sigmoid
          - linear: {units: 64}
          - sigmoid
          - linear: {units: 64}
          - sigmoid
          - linear: {units: 8}

    Fix:
        input: [64]
        layers:
          - linear: {units: 64}
          - relu
          - linear: {units: 64}
          - relu
          - linear: {units: 64}
          - relu
          - linear: {units: 64}
          - relu
          - linear: {units: 64}
          - relu
          - linear: {units: 8}
    """

    code = "N303"
    name = "saturating-stack"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        passed = {given.name: 0 for given in net.graph.inputs}
        for node in net.graph.nodes:
            before = max((passed[name] for name in node.inputs), default=0)
            if isinstance(node.layer, Normalisation) or _ends_branches(node):
                passed[node.full_name] = 0
                continue
            saturates = node.layer.sigmoidal and not _is_gate(net, node.full_name)
            passed[node.full_name] = before + saturates
            if saturates and before + 1 == DEEP:
                message = f"{node.full_name} is the {DEEP}th saturating activation in a row"
                help = "take relu, gelu or silu, or a normalisation or shortcuts between"
                yield Finding(node, message, help=help)


def _ends_branches(node: Node) -> bool:
    """Whether a shortcut or another branch ends here, along which gradients come back."""
    return isinstance(node.layer, Add)


def _is_gate(net: Net, name: str) -> bool:
    return any(isinstance(reader.layer, Multiply) for reader in net.graph.readers[name])
