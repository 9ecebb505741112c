"""N408: a normalisation of a normalisation."""

from collections.abc import Iterator

from netcalc.diagnostics import Severity
from netcalc.graph import Node
from netcalc.layers.normalisation import LRN, Normalisation
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class RepeatedNorm(Rule):
    """A normalisation reads another one alone; a note where they stand in different blocks.

    Local response normalisation, which takes no mean, does not count.

    Why:
        The second one finds mean 0 and variance 1 already: its scale and shift do what the first one's do.
        The end of a post-norm encoder with a final norm is such a place, which some publish.

    Example:
        input: [64, 8, 8]
        layers:
          - conv: {filters: 64, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - batchnorm
          - relu

    Fix:
        input: [64, 8, 8]
        layers:
          - conv: {filters: 64, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
    """

    code = "N408"
    name = "repeated-norm"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            above = next((one for one in net.upward(node) if one.layer.view_in(training=False) is None), None)
            if above is not None and _takes_mean(node) and _takes_mean(above):
                message = f"{node.full_name} normalises what {above.full_name} has normalised"
                severity: Severity = "warning" if node.path == above.path else "note"
                yield Finding(node, message, help="leave one of them out", severity=severity)


def _takes_mean(node: Node) -> bool:
    return isinstance(node.layer, Normalisation) and not isinstance(node.layer, LRN)
