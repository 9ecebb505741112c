"""N603: grouped convolutions whose channels never mix."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.layers.convolution import Convolution
from netcalc.layers.shape import ChannelShuffle
from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule


class UnmixedChannels(Rule):
    """Grouped or depthwise convolutions follow each other, and nothing mixes their groups before the head.

    A convolution over all channels, a linear or attention layer, a channel shuffle or another order of
    the axes mixes them. A linear layer after a global pool is the head and comes too late.

    Why:
        Each group is a small network of its own that never learns of the others. A depthwise convolution is
        half of a separable one: the 1x1 after it is the other half (Howard et al. 2017); grouped 1x1
        convolutions want a channel shuffle between (Zhang et al. 2018).

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - depthwise_conv: {kernel: 3, pad: 1}
          - relu
          - depthwise_conv: {kernel: 3, pad: 1}
          - relu
          - global_avgpool
          - linear: {units: 10}

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - depthwise_conv: {kernel: 3, pad: 1}
          - relu
          - conv: {filters: 64, kernel: 1}
          - relu
          - depthwise_conv: {kernel: 3, pad: 1}
          - relu
          - conv: {filters: 64, kernel: 1}
          - relu
          - global_avgpool
          - linear: {units: 10}
    """

    code = "N603"
    name = "unmixed-channels"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        reported: set[str] = set()
        for number, node in enumerate(net.graph.nodes):
            if _groups(net, node) > 1 and node.full_name not in reported:
                after = _unmixed(net, number)
                if after:
                    reported.update(other.full_name for other in after)
                    names = f"{node.full_name} and {len(after)} more to {after[-1].full_name}"
                    message = f"nothing mixes the groups of {names}"
                    yield Finding(node, message, help="put a 1x1 convolution or channel_shuffle: between")


def _groups(net: Net, node: Node) -> int:
    """The groups of a convolution; 0 for other layers."""
    layer = node.layer
    return layer.in_groups(net.input(node).shape[0]) if isinstance(layer, Convolution) else 0


def _unmixed(net: Net, first: int) -> list[Node]:
    """The grouped convolutions after a node; none if a layer mixes their channels."""
    nodes = net.graph.nodes
    reached, grouped = {nodes[first].full_name}, []
    for node in map(nodes.__getitem__, range(first + 1, len(nodes))):
        if not reached & {*node.inputs} or all(positions(net.graph.types[name]) == 1 for name in node.inputs):
            continue
        if _mixes(net, node):
            return []
        reached.add(node.full_name)
        if _groups(net, node):
            grouped.append(node)
    return grouped


def _mixes(net: Net, node: Node) -> bool:
    """Whether a channel of the output depends on several groups of the input."""
    if node.layer.mixes_tokens:
        return True
    if len(node.inputs) > 1:
        return node.layer.window(net.graph.input_types(node)) is None
    moved = node.layer.source_axes(net.input(node))[:1] != (frozenset((0,)),)
    return _groups(net, node) == 1 or moved or _shuffles(net, node)


def _shuffles(net: Net, node: Node) -> bool:
    """Whether a node is a channel shuffle of more than one group and fewer groups than channels."""
    return isinstance(node.layer, ChannelShuffle) and 1 < node.layer.groups < net.input(node).shape[0]
