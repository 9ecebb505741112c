"""The windows of a convolution or pool along one axis of an image."""

from typing import NamedTuple

from netcalc.layers import geometry
from netcalc.tensor import Shape


class WindowAxis(NamedTuple):
    """A kernel along one axis."""

    size: int
    kernel: int
    stride: int
    before: int
    after: int
    dilation: int = 1

    def cell_positions(self, cell: int, outputs: int) -> tuple[slice, slice]:
        """The outputs for which a cell of the kernel lies inside the input, and the inputs that they read."""
        offset = self.dilation * cell - self.before
        return geometry.cell_positions(self.size, outputs, self.stride, offset)


def window_axes(space: Shape, window: geometry.SlidingWindow) -> tuple[WindowAxis, ...]:
    """The window along each axis of an input of `space`."""
    axes = zip(space, *window, strict=True)
    return tuple(WindowAxis(size, k, s, before, after, d) for size, k, s, (before, after), d in axes)
