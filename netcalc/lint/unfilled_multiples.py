"""N503: channels that leave a matrix unit's tiles unfilled."""

from collections.abc import Iterator

from netcalc.layers.convolution import Convolution, DepthwiseConv
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule

TILE = 8
"""Channels that a tensor core processes at once in half precision."""


class UnfilledMultiples(Rule):
    """Channels, or channels a group, are no multiple of 8.

    The network's input channels and the last layer's units are given by the task and do not count;
    depthwise convolutions do not run on tensor cores.

    Why:
        Tensor cores multiply tiles whose sides are multiples of 8 in half precision, 64 for full
        speed on large ones. What is left of a tile is computed and thrown away, or the layer runs
        off the tensor cores.

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 30, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
          - global_avgpool
          - linear: {units: 10}

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
          - global_avgpool
          - linear: {units: 10}
    """

    code = "N503"
    name = "unfilled-multiples"
    severity = "note"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            layer = node.layer
            if layer.weighted and not isinstance(layer, DepthwiseConv) and node.full_name not in net.heads:
                outputs = node.output.shape[layer.channel_axis]
                groups = layer.in_groups(net.input(node).shape[0]) if isinstance(layer, Convolution) else 1
                width = outputs // groups
                if width % TILE and groups < outputs:
                    channels = f"{width} channels a group" if groups > 1 else f"{width} channels"
                    whole = -(-width // TILE) * TILE
                    message = (
                        f"{channels} of {node.full_name} fill {width * 100 // whole}% of tiles of {TILE}"
                    )
                    yield Finding(node, message, help=f"{whole} take as long")
