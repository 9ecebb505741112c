"""N407: a dropout that lets almost nothing through."""

from collections.abc import Iterator

from netcalc.diagnostics import Severity
from netcalc.layers.regularisation import Regularisation
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule

MOST = 0.9
"""From this rate on, the share to keep was probably given instead of the share to drop."""


class HeavyDropout(Rule):
    """A dropout or a stochastic depth drops nine of ten or more; an error where it drops all.

    Why:
        `rate` is the share that is dropped, as PyTorch's `p`; TensorFlow 1 and papers before 2015 give
        the share that is kept. At 0.9 the variance grows tenfold, at 1 nothing passes in training.

    Example:
        input: [64]
        layers:
          - linear: {units: 64}
          - relu
          - dropout: {rate: 0.9}
          - linear: {units: 10}

    Fix:
        input: [64]
        layers:
          - linear: {units: 64}
          - relu
          - dropout: {rate: 0.1}
          - linear: {units: 10}
    """

    code = "N407"
    name = "heavy-dropout"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            rate = node.layer.rate if isinstance(node.layer, Regularisation) else 0
            if rate >= MOST:
                kept = f"{float(1 - rate):.0%} of what it reads" if rate < 1 else "nothing"
                severity: Severity = "warning" if rate < 1 else "error"
                message = f"{node.full_name} lets {kept} through in training"
                help = (
                    f"write rate: {float(1 - rate):.2g} if {rate:g} is to be kept"
                    if rate < 1
                    else "leave it out"
                )
                yield Finding(node, message, help=help, severity=severity)
