"""N403: a normalisation over a single value."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.layers.normalisation import BatchNorm, Normalisation, RMSNorm
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class NormOfOneValue(Rule):
    """A normalisation takes its mean over one value: its output is its shift, whatever comes in.

    That is a batch norm on 1x1 positions in training at batch 1 (`--batch 1`), an instance norm on
    1x1 positions, a group norm with one channel a group there, a layer or RMS norm over one element.

    Why:
        A value minus itself is zero, and divided by its own size it is a sign. Nothing passes through,
        neither forward nor backward; PyTorch refuses to train such a batch or instance norm.

    Example:
        input: [64, 8, 8]
        layers:
          - global_avgpool: {keep: true}
          - conv: {filters: 16, kernel: 1}
          - groupnorm: {groups: 16}
          - relu

    Fix:
        input: [64, 8, 8]
        layers:
          - global_avgpool: {keep: true}
          - conv: {filters: 16, kernel: 1}
          - groupnorm: {groups: 4}
          - relu
    """

    code = "N403"
    name = "norm-of-one-value"
    severity = "error"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            if _values(net, node) == 1:
                at = f" at batch {net.batch}" if isinstance(node.layer, BatchNorm) else ""
                passes = (
                    "its sign alone passes" if isinstance(node.layer, RMSNorm) else "nothing passes through"
                )
                message = f"{node.full_name} normalises one value alone{at}: {passes}"
                yield Finding(node, message, help="leave it out, or normalise over more")


def _values(net: Net, node: Node) -> int:
    """The number of values over which statistics are taken; 0 for layers that take none, in training too."""
    if not isinstance(node.layer, Normalisation) or node.keeps_statistics:
        return 0
    samples = net.batch if isinstance(node.layer, BatchNorm) else 1
    return node.layer.normalised_together(net.input(node)) * samples
