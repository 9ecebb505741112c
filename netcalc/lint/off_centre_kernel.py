"""N104: an even kernel padded alike on both sides."""

from collections.abc import Iterator

from netcalc.layers.convolution import Convolution
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.windows import AxisWindows, axes, format_axes


class OffCentreKernel(Rule):
    """An even kernel of a convolution at stride 1 is padded by half on both sides: the map grows and shifts.

    A warning where it is so along all axes of an image; a note along one axis or for a sequence, where
    long kernels are padded so. Pools, and kernels padded by less, as in PatchGAN, are not meant.

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
            if not isinstance(node.layer, Convolution):
                continue
            windows = axes(net, node)
            if shifted := [axis for axis in windows if _grows(axis)]:
                first = shifted[0]
                message = (
                    f"{node.full_name} makes {first.windows} of {first.size} positions"
                    f" along {format_axes(shifted)}, each half a position off"
                )
                everywhere = 1 < len(shifted) == len(windows)
                help = "take an odd kernel, or pad: same to keep the size"
                yield Finding(node, message, help=help, severity="warning" if everywhere else "note")


def _grows(axis: AxisWindows) -> bool:
    return axis.stride == 1 and axis.before == axis.after and 2 * axis.before == axis.extent
