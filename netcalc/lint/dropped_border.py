"""N101: windows that end before the border."""

from collections.abc import Iterator

from netcalc.layers.pooling import Pooling
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.windows import AxisWindows, axes, format_axes, unread_axes

MUCH = 20
"""Losing more than one of this many positions is a warning, less is a note."""


class DroppedBorder(Rule):
    """The windows do not divide their input: its last positions lie after the last window.

    A warning where one position in twenty or more is lost, a note where it is less. Padding that
    goes unread is no loss, and neither is what another layer reads of the same tensor.

    Why:
        What is dropped costs memory and time above and teaches nothing, always at the same two
        borders. A size that the windows divide, a cell more of padding, or a pool that rounds up
        uses everything.

    Example:
        input: [16, 14, 14]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 3, stride: 2}

    Fix:
        input: [16, 14, 14]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 3, stride: 2, ceil: true}
    """

    code = "N101"
    name = "dropped-border"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node, lossy in unread_axes(net, _dropped):
            first = max(lossy, key=lambda axis: axis.dropped)
            message = (
                f"{node.full_name} never reads the last {first.dropped} of {first.size} positions"
                f" along {format_axes(lossy)}"
            )
            much = first.dropped * MUCH >= first.size
            help = _help(first, lossy, axes(net, node), isinstance(node.layer, Pooling))
            yield Finding(node, message, help=help, severity="warning" if much else "note")


def _dropped(axis: AxisWindows) -> int:
    """Positions after the last window, if the windows have no gaps between them."""
    return axis.dropped if axis.seen == axis.stride else 0


def _help(axis: AxisWindows, lossy: list[AxisWindows], every: tuple[AxisWindows, ...], is_pool: bool) -> str:
    missing = _missing(axis)
    smaller = f"{axis.size - axis.dropped} or " if axis.dropped < axis.size else ""
    sizes = f"a size of {smaller}{axis.size + missing - axis.after} loses nothing"
    if is_pool:
        return f"ceil: true reads them; {sizes}"
    pads = [[own.before, _missing(own) if own in lossy else own.after] for own in every]
    return f"pad: {pads} reads them; {sizes}"


def _missing(axis: AxisWindows) -> int:
    """The padding at the end with which one more window fits."""
    return axis.extent + axis.windows * axis.stride - axis.before - axis.size
