"""N310: a deep stack without normalisation or shortcuts."""

from collections.abc import Iterator

from netcalc.layers import Layer
from netcalc.layers.activation import SELU
from netcalc.layers.merge import Merge
from netcalc.layers.normalisation import Normalisation
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule

DEEP = 21
"""The number of layers with weights from which a plain network is too deep."""


class DeepPlainStack(Rule):
    """More than twenty layers with weights stand on one path with no normalisation and no join between.

    The deepest plain networks that trained well, VGG-19 and VDSR, have twenty. SELU normalises itself.

    Why:
        The scale of activations and gradients is a product over the layers: it vanishes or explodes with
        depth. Even with batch normalisation plain networks of 34 layers train worse than those of 18
        (He et al. 2016).

    Example:
        input: [64]
        blocks:
          layer:
            - linear: {units: 64}
            - relu
        layers:
          - layer: {repeat: 24}
          - linear: {units: 10}

    Fix:
        input: [64]
        blocks:
          layer:
            - residual: {main: [{linear: {units: 64}}, relu, {linear: {units: 64}}]}
        layers:
          - layer: {repeat: 12}
          - linear: {units: 10}
    """

    code = "N310"
    name = "deep-plain-stack"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        passed = {given.name: 0 for given in net.graph.inputs}
        for node in net.graph.nodes:
            layer, name = node.layer, node.full_name
            if isinstance(layer, (Normalisation, Merge)) or _normalises_itself(layer):
                passed[name] = 0
                continue
            passed[name] = passed[node.inputs[0]] + layer.weighted
            if layer.weighted and passed[name] == DEEP:
                message = (
                    f"{name} is the {DEEP}st layer with weights in a row, with no normalisation or shortcut"
                )
                yield Finding(node, message, help="put batchnorm or layernorm between, or use residual:")


def _normalises_itself(layer: Layer) -> bool:
    """Whether what it gives keeps its scale from layer to layer (Klambauer et al. 2017)."""
    return isinstance(layer, SELU)
