"""Linear maps that follow each other with nothing nonlinear between them."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.layers.convolution import Convolution
from netcalc.layers.linear import Linear
from netcalc.lint.net import Net, positions


def linear_pairs(net: Net) -> Iterator[tuple[Node, Node]]:
    """Every two full maps whose product is one map that costs no more to represent.

    A narrow layer between two wide ones is not meant: that is a product of low rank, as in the linear
    bottlenecks of MobileNet v2. Neither are grouped and depthwise convolutions, nor a 1xk kernel with
    a kx1: they are the factors of a larger map, made to be cheaper than it. So are maps over different
    axes, as in a mixer, and filters on grids of different sizes with an upsampling between.
    """
    for second in net.graph.nodes:
        if not _is_full(net, second):
            continue
        mixed = _mixed(net, second)
        for first in net.upward(second):
            if _is_full(net, first):
                factors = _is_narrow(net, first, second) or _is_separable(first, second)
                if not factors and _channel_axis(first) in mixed:
                    yield first, second
                break
            if not first.layer.linear or first.layer.family == "resampling":
                break
            sources = first.layer.came_from(net.input(first))
            mixed = frozenset(source for axis in mixed for source in sources[axis])


def _is_full(net: Net, node: Node) -> bool:
    """Whether a layer maps all its input channels to all its output channels."""
    if isinstance(node.layer, Convolution):
        return node.layer.in_groups(net.input(node).shape[0]) == 1
    return isinstance(node.layer, Linear)


def _mixed(net: Net, node: Node) -> frozenset[int]:
    """The axes of its input that a map joins: the channels, and those that its kernel reaches along."""
    channels = node.layer.channel_axis % len(net.input(node).shape)
    return frozenset((channels, *(axis for axis, size in enumerate(_kernel(node), 1) if size > 1)))


def _kernel(node: Node) -> tuple[int, ...]:
    """The sizes of a convolution's kernel; none of a linear layer."""
    return node.layer.kernel if isinstance(node.layer, Convolution) else ()


def _channel_axis(node: Node) -> int:
    return node.layer.channel_axis % len(node.output.shape)


def _is_narrow(net: Net, first: Node, second: Node) -> bool:
    """Whether there are fewer channels between two maps than on either side, or a code of fewer values."""
    channels = _channels(net.input(first).shape, first), _channels(second.output.shape, second)
    values = net.input(first).numel, second.output.numel
    return _channels(first.output.shape, first) < min(channels) or (
        positions(first.output) == 1 and first.output.numel < min(values)
    )


def _channels(shape: tuple[int, ...], node: Node) -> int:
    return shape[node.layer.channel_axis]


def _is_separable(first: Node, second: Node) -> bool:
    """Whether two kernels reach along different axes: 1x3 and 3x1."""
    kernels = [_kernel(node) for node in (first, second)]
    reaching = [any(size > 1 for size in kernel) for kernel in kernels]
    return all(reaching) and all(1 in pair for pair in zip(*kernels, strict=False))
