"""Layers that take a part of a tensor: no dot product, no parameters. Axes leave the batch out."""

from netcalc.layers import geometry
from netcalc.layers.base import Layer, SpatialLayer, channels_and_space, pointwise
from netcalc.layers.geometry import Window
from netcalc.layers.options import Integer, Maybe
from netcalc.layers.saved import NOTHING, Extra, View
from netcalc.layers.window_options import Padding, Sizes
from netcalc.tensor import Shape, TensorType


class Cutting(Layer):
    """A layer that takes a part of what it reads, as a view of it."""

    family = "cutting"
    rearranges = True
    keeps_layout = True
    linear = True
    saves = NOTHING
    view = View.STRIDED


class Crop(Cutting, SpatialLayer):
    """Cuts cells off the spatial axes: `crop` from each side, or the centre of `size`.

    An odd rest of a centre crop comes off the end, as in U-Net's copy and crop.

    Example: `crop: {size: 56}` on 512x64x64 gives 512x56x56
    """

    kind = "crop"
    main = "crop"
    also = ("CenterCrop", "Cropping2D", "center_crop")

    crop = Padding(0, doc="cells cut off", torch=None, same=False)
    size = Maybe(Sizes(doc="the size that is left, from the centre"))

    def sides(self, space: Shape) -> tuple[tuple[int, int], ...]:
        """What is cut off before and after, along each axis."""
        if self.size is None:
            return self.crop
        rests = (size - wanted for size, wanted in zip(space, self.size, strict=True))
        return tuple((rest // 2, rest - rest // 2) for rest in rests)

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        channels, space = channels_and_space(x)
        if self.size is not None:
            geometry.require_equal(any(map(any, self.crop)), False, "give crop or size, not both", "size")
        sizes = []
        for size, (before, after) in zip(space, self.sides(space), strict=True):
            if self.size is not None:
                geometry.require_at_least(before, 0, f"a crop cannot be larger than its input of {x}", "size")
            rest = size - (before + after)
            geometry.require_at_least(rest, 1, f"crop leaves nothing of a size of {size}", "crop")
            sizes.append(rest)
        return TensorType((channels, *sizes), x.dtype)

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        (x,) = xs
        return tuple(geometry.shifted_window(before) for before, _ in self.sides(x.shape[1:]))

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """The gradient with the last axes uncut, once that of the output is gone."""
        cut = next((axis for axis, sides in enumerate(self.sides(xs[0].shape[1:]), 1) if any(sides)), None)
        if cut is None:
            return Extra()
        return Extra(values=xs[0].numel // xs[0].shape[cut] * y.shape[cut] - y.numel)


class Slice(Cutting):
    """Takes every `step`-th element of an axis from `start` up to, not with, `end`.

    Negative positions count from the end and those beyond are cut off, as Python's slices do.

    Example: `slice: {axis: 0, end: 32}` on 64x28x28 gives 32x28x28
    """

    kind = "slice"
    also = ("narrow",)

    axis = Integer(0, at_least=None, doc="the axis, without the batch", torch="dim")
    start = Integer(0, at_least=None, doc="first position")
    end = Maybe(Integer(at_least=None, doc="position after the last; the axis's end unless given"))
    step = Integer(1, doc="distance between positions")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        axis = geometry.resolve_axis(self.axis, len(x.shape), "axis")
        taken = len(self._positions(x.shape[axis]))
        message = f"nothing is left of axis {axis} of {x} from {self.start} to {self.end}"
        geometry.require_at_least(taken, 1, message, "start")
        return TensorType((*x.shape[:axis], taken, *x.shape[axis + 1 :]), x.dtype)

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        (x,) = xs
        windows = list(pointwise(x))
        axis = geometry.resolve_axis(self.axis, len(x.shape), "axis")
        if axis > 0:
            start = self._positions(x.shape[axis]).start
            windows[axis - 1] = Window(self.step, -start)
        return tuple(windows)

    def _positions(self, size: int) -> range:
        return range(size)[slice(self.start, self.end, self.step)]


class Split(Cutting):
    """One of `parts` equal pieces of an axis, the one numbered `part`; each use gives one piece.

    As one of what PyTorch's chunk gives, where the pieces are equal.

    Example: `split: {parts: 3, part: 1, axis: 1}` on 196x2304 gives 196x768
    """

    kind = "split"
    also = ("chunk", "Split")

    parts = Integer(doc="pieces that the axis is cut into", torch="chunks")
    part = Integer(at_least=0, doc="which piece, from 0")
    axis = Integer(0, at_least=None, doc="the axis, without the batch", torch="dim")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        axis = geometry.resolve_axis(self.axis, len(x.shape), "axis")
        message = f"part={self.part} is not one of {self.parts} parts, 0 to {self.parts - 1}"
        geometry.require_at_least(self.parts - 1, self.part, message, "part")
        geometry.require_divides(self.parts, x.shape[axis], f"positions of axis {axis}", "parts")
        return TensorType((*x.shape[:axis], x.shape[axis] // self.parts, *x.shape[axis + 1 :]), x.dtype)

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        (x,) = xs
        windows = list(pointwise(x))
        axis = geometry.resolve_axis(self.axis, len(x.shape), "axis")
        if axis > 0:
            windows[axis - 1] = geometry.shifted_window(x.shape[axis] // self.parts * self.part)
        return tuple(windows)

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """Zeros for the other pieces."""
        return Extra(values=xs[0].numel - y.numel)
