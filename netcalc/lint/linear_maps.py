"""Consecutive linear maps with nothing nonlinear between them."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.layers.convolution import Convolution, DepthwiseConv
from netcalc.layers.linear import Linear
from netcalc.layers.resampling import Resampling
from netcalc.lint.net import Net, positions


def linear_pairs(net: Net) -> Iterator[tuple[Node, Node]]:
    """Pairs of consecutive linear maps whose product is one map with no more weights.

    Left out are factors that are cheaper than their product: a narrow layer between two wide ones, as in the
    linear bottlenecks of MobileNet v2, grouped and depthwise convolutions, a 1xk kernel with a kx1, maps over
    different axes, as in a mixer, and convolutions with an upsampling between.
    """
    for second in net.graph.nodes:
        if not _is_full(net, second):
            continue
        mixed = _mixed(net, second)
        for first in net.upward(second):
            if _is_full(net, first):
                factors = _is_low_rank(net, first, second) or _is_separable(first, second)
                if not factors and _channel_axis(first) in mixed:
                    yield first, second
                break
            if not first.layer.linear or isinstance(first.layer, Resampling):
                break
            sources = first.layer.source_axes(net.input(first))
            mixed = frozenset(source for axis in mixed for source in sources[axis])


def _is_full(net: Net, node: Node) -> bool:
    """Whether a layer maps all its input channels to all its output channels."""
    if isinstance(node.layer, DepthwiseConv):
        return False
    if isinstance(node.layer, Convolution):
        return node.layer.in_groups(net.input(node).shape[0]) == 1
    return isinstance(node.layer, Linear)


def _mixed(net: Net, node: Node) -> frozenset[int]:
    """The axes that a map mixes: the channels, and those along which its kernel is larger than 1."""
    channels = node.layer.channel_axis % len(net.input(node).shape)
    return frozenset((channels, *(axis for axis, size in enumerate(_kernel(node), 1) if size > 1)))


def _kernel(node: Node) -> tuple[int, ...]:
    """The kernel of a convolution; empty for a linear layer."""
    return node.layer.kernel if isinstance(node.layer, Convolution) else ()


def _channel_axis(node: Node) -> int:
    return node.layer.channel_axis % len(node.output.shape)


def _is_low_rank(net: Net, first: Node, second: Node) -> bool:
    """Whether two maps have fewer channels or values between them than on either side."""
    channels = _channels(net.input(first).shape, first), _channels(second.output.shape, second)
    values = net.input(first).numel, second.output.numel
    return _channels(first.output.shape, first) < min(channels) or (
        positions(first.output) == 1 and first.output.numel < min(values)
    )


def _channels(shape: tuple[int, ...], node: Node) -> int:
    return shape[node.layer.channel_axis]


def _is_separable(first: Node, second: Node) -> bool:
    """Whether two kernels are separable factors, such as 1x3 and 3x1."""
    kernels = [_kernel(node) for node in (first, second)]
    reaching = [any(size > 1 for size in kernel) for kernel in kernels]
    return all(reaching) and all(1 in pair for pair in zip(*kernels, strict=False))
