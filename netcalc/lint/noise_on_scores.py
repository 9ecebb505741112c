"""N406: batch normalisation or dropout after the last layer."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.layers.normalisation import BatchNorm
from netcalc.layers.regularisation import Regularisation
from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule


class NoiseOnScores(Rule):
    """The scores that the last layer gives go through a batch normalisation or a dropout.

    A note for a batch normalisation that learns no shift: so embeddings end, as in SimCLR and ArcFace.

    Why:
        Dropout on scores sets some classes to zero at random, so that the loss is of chance. A batch
        normalisation ties each sample's scores to those of the others in the batch and takes away the
        class frequencies that the bias learns. Both belong before the last layer.

    Example:
        input: [64]
        layers:
          - linear: {units: 32}
          - relu
          - linear: {units: 10}
          - dropout: {rate: 0.5}

    Fix:
        input: [64]
        layers:
          - linear: {units: 32}
          - relu
          - dropout: {rate: 0.5}
          - linear: {units: 10}
    """

    code = "N406"
    name = "noise-on-scores"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        rows = [net.rows[name] for name in net.graph.outputs if name in net.rows]
        for row in rows:
            found = []
            node: Node | None = row.node
            while node is not None:
                if _is_noise(node):
                    found.append(node)
                elif not (node.layer.bounded or node.layer.view_in(training=False)):
                    break
                node = net.above(node)
            if node is not None and node.full_name in net.heads:
                for noise in found:
                    message = f"{noise.full_name} changes the scores of {node.full_name}, the last layer"
                    help = f"leave it out, or move it before {node.full_name}"
                    yield Finding(noise, message, help=help, severity="note" if _is_plain(noise) else None)


def _is_noise(node: Node) -> bool:
    """Whether a node is a dropout, or a batch normalisation of a vector rather than of a backbone's map."""
    if isinstance(node.layer, BatchNorm):
        return positions(node.output) == 1
    return isinstance(node.layer, Regularisation) and node.layer.rate > 0


def _is_plain(node: Node) -> bool:
    """Whether a node is a batch normalisation without a learned shift."""
    return isinstance(node.layer, BatchNorm) and not any(param.name == "bias" for param in node.params)
