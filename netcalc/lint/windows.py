"""The sliding windows of a layer along each axis, for rules about borders and gaps."""

from collections.abc import Callable, Iterator
from math import gcd
from typing import NamedTuple

from netcalc.graph import Node
from netcalc.layers import geometry
from netcalc.lint.net import Net

_AXES = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}


class AxisWindows(NamedTuple):
    """A layer's windows along one axis of its input."""

    number: int
    name: str
    size: int
    kernel: int
    dilation: int
    stride: int
    before: int
    after: int
    windows: int

    @property
    def extent(self) -> int:
        """Positions from the first to the last cell of a window."""
        return geometry.extent(self.kernel, self.dilation)

    @property
    def seen(self) -> int:
        """How many of `stride` neighbouring positions the windows read."""
        return min(self.kernel, self.stride // gcd(self.dilation, self.stride))

    @property
    def dropped(self) -> int:
        """Positions of the input after the last window."""
        rest = self.before + self.size - self.extent - (self.windows - 1) * self.stride
        return min(max(0, rest), self.size)


def axes(net: Net, node: Node) -> tuple[AxisWindows, ...]:
    """The windows of a layer along each axis; empty for layers without sliding windows."""
    window = node.layer.sliding_window()
    if window is None:
        return ()
    space = net.input(node).shape[1:]
    columns = zip(_AXES[len(space)], space, *window, node.output.shape[1:], strict=True)
    return tuple(
        AxisWindows(number, name, size, kernel, dilation, stride, before, after, windows)
        for number, (name, size, kernel, stride, (before, after), dilation, windows) in enumerate(columns)
    )


def unread_axes(net: Net, loses: Callable[[AxisWindows], int]) -> Iterator[tuple[Node, list[AxisWindows]]]:
    """Each layer with the axes along which every reader of its input loses positions."""
    for name, readers in net.graph.readers.items():
        if readers and name not in net.outputs:
            windows = [axes(net, reader) for reader in readers]
            shared = set.intersection(*({axis.number for axis in own if loses(axis)} for own in windows))
            for node, own in zip(readers, windows, strict=True):
                if unread := [axis for axis in own if axis.number in shared]:
                    yield node, unread


def format_axes(axes: list[AxisWindows]) -> str:
    """`height and width`."""
    return " and ".join(axis.name for axis in axes)
