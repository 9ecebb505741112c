"""N106: a kernel of several cells on a map of one position."""

from collections.abc import Iterator

from netcalc.diagnostics import Note
from netcalc.graph import Node
from netcalc.layers.convolution import Convolution
from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.windows import axes


class KernelOnOnePosition(Rule):
    """A convolution of 3x3 or more reads a map of 1x1: all of its cells but one see padding alone.

    Nothing is said of a network's last layers: detectors have alike ones for maps of all sizes.

    Why:
        Eight of nine weights of a 3x3 multiply zeros and get no gradient. The map went down to one position
        too early: what comes after it has no places left to relate.

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 32}
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 10, kernel: 1}

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 4}
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 10, kernel: 1}
    """

    code = "N106"
    name = "kernel-on-one-position"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            windows = axes(net, node)
            kernel = max((axis.kernel for axis in windows), default=1)
            single = kernel > 1 and positions(net.input(node)) == 1
            if single and isinstance(node.layer, Convolution) and node.full_name not in net.heads:
                kernels = "x".join(str(axis.kernel) for axis in windows)
                message = f"{node.full_name} has a kernel of {kernels} on {net.input(node)}: it reads padding"
                yield Finding(
                    node, message, _narrowing(net, node), "take kernel: 1, or fewer strides and pools above"
                )


def _narrowing(net: Net, node: Node) -> tuple[Note, ...]:
    """A note on the layer above that reduced the map to one position."""
    above = net.narrowing(node)
    return () if above is None else (Note(f"{above.full_name} leaves one position of {net.input(above)}"),)
