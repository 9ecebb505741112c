"""N206: a stem made for large images on small ones."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.layers.activation import Activation
from netcalc.layers.normalisation import Normalisation
from netcalc.layers.pooling import Pooling
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.windows import axes
from netcalc.tensor import TensorType

WIDE, LARGE = 5, 64
"""The least kernel of a stem for large images, and the least size of such an image."""


class StemForLargerInput(Rule):
    """A convolution of 5x5 or more at stride 2 and a pool at stride 2 read an input below 64 pixels.

    Why:
        The stem of ImageNet's networks goes from 224 to 56 pixels before the first block. On 32 pixels it
        leaves 8, and the stages after it go on to a single pixel. On CIFAR the same networks begin
        with one 3x3 at stride 1 and no pool (He et al. 2016, section 4.2).

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 64, kernel: 7, stride: 2, pad: 3, bias: false}
          - batchnorm
          - relu
          - maxpool: {kernel: 3, stride: 2, pad: 1}
          - conv: {filters: 64, kernel: 3, pad: 1}

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 64, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
          - conv: {filters: 64, kernel: 3, pad: 1}
    """

    code = "N206"
    name = "stem-for-larger-input"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            given = {tensor.name: tensor.type for tensor in net.graph.inputs}.get(node.inputs[0])
            windows = axes(net, node)
            wide = len(windows) > 1 and all(
                axis.kernel >= WIDE and axis.kernel > axis.stride > 1 for axis in windows
            )
            if given is None or not wide or max(given.shape[1:]) >= LARGE:
                continue
            pool = _pool(net, node)
            if pool is not None and all(axis.stride > 1 for axis in axes(net, pool)):
                sizes = [TensorType(type.shape[1:]) for type in (given, pool.output)]
                message = f"the stem to {pool.full_name} brings {sizes[0]} down to {sizes[1]} at once"
                yield Finding(node, message, help="take kernel: 3, stride: 1, pad: 1, and no pool")


def _pool(net: Net, stem: Node) -> Node | None:
    """The pool after a stem and its normalisation and activation."""
    node = net.only_reader(stem)
    while node is not None and isinstance(node.layer, (Normalisation, Activation)):
        node = net.only_reader(node)
    return node if node is not None and isinstance(node.layer, Pooling) and axes(net, node) else None
