"""Linear maps that follow each other with nothing nonlinear between them."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.lint.net import Net

_LINEAR = frozenset({
    "identity", "dropout", "stochastic_depth", "batchnorm", "avgpool", "adaptive_avgpool", "global_avgpool",
    "flatten", "reshape", "permute", "squeeze", "unsqueeze", "pad", "crop", "slice", "roll",
    "channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "upsample", "interpolate", "scale",
})  # fmt: skip
"""Kinds that are linear in inference, and so leave two maps one."""


def linear_pairs(net: Net) -> Iterator[tuple[Node, Node]]:
    """Every two full maps whose product is one map that costs no more to represent.

    A narrow layer between two wide ones is not meant: that is a product of low rank, as in the linear
    bottlenecks of MobileNet v2. Neither are grouped and depthwise convolutions, nor a 1xk kernel with
    a kx1: they are the factors of a larger map, made to be cheaper than it.
    """
    for second in net.graph.nodes:
        if not _is_full(second):
            continue
        for first in net.upward(second):
            if _is_full(first):
                if not (_is_narrow(net, first, second) or _is_separable(first, second)):
                    yield first, second
                break
            if first.layer.kind not in _LINEAR:
                break


def _is_full(node: Node) -> bool:
    """Whether a layer maps all its input channels to all its output channels."""
    options = vars(node.layer)
    return node.layer.kind in ("conv", "conv_transpose", "linear") and options.get("groups", 1) == 1


def _is_narrow(net: Net, first: Node, second: Node) -> bool:
    """Whether there are fewer channels between two maps than on either side."""
    return _channels(first.output.shape, first) < min(
        _channels(net.input(first).shape, first), _channels(second.output.shape, second)
    )


def _channels(shape: tuple[int, ...], node: Node) -> int:
    return shape[-1] if node.layer.kind == "linear" else shape[0]


def _is_separable(first: Node, second: Node) -> bool:
    """Whether two kernels reach along different axes: 1x3 and 3x1."""
    kernels = [vars(node.layer).get("kernel", ()) for node in (first, second)]
    reaching = [any(size > 1 for size in kernel) for kernel in kernels]
    return all(reaching) and all(1 in pair for pair in zip(*kernels, strict=False))
