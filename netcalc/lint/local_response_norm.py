"""N404: local response normalisation."""

from collections.abc import Iterator

from netcalc.layers.normalisation import LRN
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class LocalResponseNorm(Rule):
    """Local response normalisation, as AlexNet and GoogLeNet had it.

    Why:
        Simonyan and Zisserman measured no gain from it in 2014 (VGG, section 4.1: more memory and
        time alone). Batch normalisation took its place: it trains faster, and in inference it folds
        into the convolution before it and costs nothing.

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu
          - lrn: {size: 5}

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
    """

    code = "N404"
    name = "local-response-norm"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            if isinstance(node.layer, LRN):
                ops = net.rows[node.full_name].figures.other_ops
                message = (
                    f"{node.full_name} takes {ops:,} operations a sample for a gain that VGG did not find"
                )
                yield Finding(node, message, help="take - batchnorm before the activation, or nothing")
