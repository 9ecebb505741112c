"""N402: dropout on the way into a batch normalisation."""

from collections.abc import Iterator

from netcalc.diagnostics import Severity
from netcalc.layers.normalisation import BatchNorm, Normalisation
from netcalc.layers.regularisation import Dropout
from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule


class DropoutBeforeBatchnorm(Rule):
    """A batch normalisation comes after a dropout, with no other normalisation or join between.

    A warning where the batch normalisation reads vectors; a note where it reads maps, whose many
    positions bear it better: wide residual networks, EEGNet and DeepLab's head are built so.

    Why:
        In training dropout raises the variance of what it lets through, in inference it does nothing.
        The running variance of the batch normalisation is that of training and does not fit (Li et
        al. 2018, "variance shift"). Dropout does no harm after the last batch normalisation.

    Example:
        input: [256]
        layers:
          - linear: {units: 128}
          - relu
          - dropout: {rate: 0.5}
          - linear: {units: 64, bias: false}
          - batchnorm
          - relu
          - linear: {units: 10}

    Fix:
        input: [256]
        layers:
          - linear: {units: 128}
          - relu
          - linear: {units: 64, bias: false}
          - batchnorm
          - relu
          - dropout: {rate: 0.5}
          - linear: {units: 10}
    """

    code = "N402"
    name = "dropout-before-batchnorm"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            if not isinstance(node.layer, BatchNorm):
                continue
            for above in net.upward(node):
                if isinstance(above.layer, Normalisation):
                    break
                if isinstance(above.layer, Dropout) and above.layer.rate > 0:
                    message = (
                        f"{above.full_name} changes the variance that {node.full_name} measures in training"
                    )
                    severity: Severity = "note" if positions(node.output) > 1 else "warning"
                    help = "move the dropout after the last batchnorm"
                    yield Finding(above, message, help=help, severity=severity)
                    break
