"""N401: a bias that a normalisation takes away."""

from collections.abc import Iterator

from netcalc.diagnostics import Severity
from netcalc.layers.convolution import DepthwiseConv
from netcalc.layers.normalisation import InstanceNorm
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class BiasBeforeNorm(Rule):
    """A layer with a bias is read by a normalisation that subtracts each channel's mean.

    A warning before a batch norm; a note where little is lost and it is published so: the bias of a
    depthwise convolution, as in the Conformer, and before an instance norm, as in CycleGAN.

    Why:
        The mean takes the bias with it, so that its gradient is zero: it costs parameters, optimiser
        state and an addition, and does nothing. The normalisation has a shift of its own.

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - batchnorm
          - relu

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
    """

    code = "N401"
    name = "bias-before-norm"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            reader = net.only_reader(node)
            if reader is None or not reader.layer.normalises_channels:
                continue
            biased = node.layer.weighted and any(param.name == "bias" for param in node.params)
            if biased and node.layer.channel_axis % len(node.output.shape) == 0:
                channels = node.output.shape[0]
                message = f"the {channels:,} biases of {node.full_name} are taken away by {reader.full_name}"
                slight = isinstance(reader.layer, InstanceNorm) or isinstance(node.layer, DepthwiseConv)
                severity: Severity = "note" if slight else "warning"
                yield Finding(node, message, help="write bias: false", severity=severity)
