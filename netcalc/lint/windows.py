"""Windows along each axis, as the rules about borders and gaps ask of them."""

from collections.abc import Callable, Iterator
from math import gcd
from typing import NamedTuple

from netcalc.graph import Node
from netcalc.layers import geometry
from netcalc.lint.net import Net

_AXES = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}


class Axis(NamedTuple):
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
        """Positions from the window's first cell to its last."""
        return geometry.extent(self.kernel, self.dilation)

    @property
    def seen(self) -> int:
        """Of each `stride` positions side by side, how many some window reads."""
        return min(self.kernel, self.stride // gcd(self.dilation, self.stride))

    @property
    def dropped(self) -> int:
        """Positions of the input behind the last window."""
        rest = self.before + self.size - self.extent - (self.windows - 1) * self.stride
        return min(max(0, rest), self.size)


def axes(net: Net, node: Node) -> tuple[Axis, ...]:
    """The windows of a convolution or a pool along each axis; nothing for other layers."""
    window = node.layer.sliding_window()
    if window is None:
        return ()
    space = net.input(node).shape[1:]
    columns = zip(_AXES[len(space)], space, *window, node.output.shape[1:], strict=True)
    return tuple(
        Axis(number, name, size, kernel, dilation, stride, before, after, windows)
        for number, (name, size, kernel, stride, (before, after), dilation, windows) in enumerate(columns)
    )


def losses(net: Net, loses: Callable[[Axis], int]) -> Iterator[tuple[Node, list[Axis]]]:
    """Each layer with the axes along which it loses positions that no reader of the same tensor reads."""
    for name, readers in net.graph.readers.items():
        if readers and name not in net.outputs:
            everyone = [axes(net, reader) for reader in readers]
            shared = set.intersection(*({axis.number for axis in own if loses(axis)} for own in everyone))
            for node, own in zip(readers, everyone, strict=True):
                if found := [axis for axis in own if axis.number in shared]:
                    yield node, found


def told(found: list[Axis]) -> str:
    """The names of axes in words."""
    return " and ".join(axis.name for axis in found)
