"""N104: an even kernel padded alike on both sides."""

from collections.abc import Iterator

from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.windows import axes


class OffCentreKernel(Rule):
    """An even kernel at stride 1 is padded alike on both sides: it has no centre, so the map shifts.

    Why:
        Each such layer moves its output by half a position against its input and changes the size by
        one, so that it no longer fits what it should be added to or joined with. An odd kernel keeps
        size and place; `pad: same` keeps the size at least.

    Example:
        input: [16, 28, 28]
        layers:
          - conv: {filters: 16, kernel: 4, pad: 2}
          - relu

    Fix:
        input: [16, 28, 28]
        layers:
          - conv: {filters: 16, kernel: 5, pad: 2}
          - relu
    """

    code = "N104"
    name = "off-centre-kernel"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            for axis in axes(net, node):
                even = axis.extent % 2 == 0
                if even and axis.stride == 1 and axis.before == axis.after > 0:
                    message = (
                        f"{node.full_name} makes {axis.windows} of {axis.size} positions along {axis.name},"
                        " each half a position off"
                    )
                    yield Finding(node, message, help="take an odd kernel, or pad: same to keep the size")
                    break
