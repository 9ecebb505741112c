"""N102: a kernel smaller than its stride."""

from collections.abc import Iterator
from math import prod

from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.windows import unread_axes


class GapsBetweenWindows(Rule):
    """The kernel is smaller than the stride: positions between the windows are never read.

    Nothing is said where another layer reads the same tensor without gaps, as beside the projection
    in the shortcut of a ResNet.

    Why:
        A 1x1 convolution at stride 2 throws three quarters of its input away unseen. The ResNet of
        the paper does so in its bottlenecks; moving the stride to the 3x3 gained half a percent.

    Example:
        input: [64, 56, 56]
        layers:
          - conv: {filters: 64, kernel: 1, stride: 2}
          - relu
          - conv: {filters: 64, kernel: 3, pad: 1}

    Fix:
        input: [64, 56, 56]
        layers:
          - conv: {filters: 64, kernel: 1}
          - relu
          - conv: {filters: 64, kernel: 3, stride: 2, pad: 1}
    """

    code = "N102"
    name = "gaps-between-windows"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node, gappy in unread_axes(net, lambda axis: axis.seen < axis.stride):
            seen = prod(axis.seen for axis in gappy)
            of = prod(axis.stride for axis in gappy)
            message = f"{node.full_name} reads {seen} of {of} positions of its input, the rest is never seen"
            help = "take a kernel of at least the stride, or move the stride to a layer that has one"
            yield Finding(node, message, help=help)
