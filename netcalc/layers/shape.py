"""Layers that rearrange: no dot product, no parameters. Axes leave the batch out."""

from math import prod

from netcalc.layers import axes, geometry
from netcalc.layers.axes import Axes
from netcalc.layers.base import Layer, pointwise
from netcalc.layers.errors import LayerError
from netcalc.layers.geometry import Window
from netcalc.layers.options import Integer, Integers, Maybe
from netcalc.layers.saved import NOTHING, View
from netcalc.tensor import TensorType, format_shape


class Rearrangement(Layer):
    """A layer that gives the elements of its input in another shape or order."""

    family = "shape"
    rearranges = True
    linear = True
    saves = NOTHING


class Identity(Rearrangement):
    """y = x: a name for a tensor.

    Example: `identity` on 64x56x56 gives 64x56x56
    """

    kind = "identity"
    view = View.ANY
    also = ("Identity", "noop", "pass")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        return x

    def is_identity(self, x: TensorType, y: TensorType) -> bool:
        return True

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        (x,) = xs
        return pointwise(x)


class Flatten(Rearrangement):
    """Joins the axes from `start` to `end` into one, in order; the batch axis stays.

    PyTorch's `start_dim` counts the batch axis, `start` does not.

    Example: `flatten` on 256x6x6 gives 9216
    """

    kind = "flatten"
    view = View.IN_ORDER
    also = ("Flatten",)

    start = Integer(0, at_least=None, doc="first axis joined", torch="start_dim")
    end = Integer(-1, at_least=None, doc="last axis joined", torch="end_dim")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        if not x.shape:
            return TensorType((1,), x.dtype)
        start = geometry.resolve_axis(self.start, len(x.shape), "start")
        end = geometry.resolve_axis(self.end, len(x.shape), "end")
        geometry.require_at_least(end, start, f"start={self.start} lies after end={self.end}", "start")
        return TensorType((*x.shape[:start], prod(x.shape[start : end + 1]), *x.shape[end + 1 :]), x.dtype)

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return axes.reshaped(names[0], xs[0].shape, y.shape) if names[0] else ("C",)

    def source_axes(self, x: TensorType) -> tuple[frozenset[int], ...]:
        rank = len(x.shape)
        if not rank:
            return (frozenset(),)
        start = geometry.resolve_axis(self.start, rank, "start")
        end = geometry.resolve_axis(self.end, rank, "end")
        single = [frozenset((axis,)) for axis in range(rank)]
        return (*single[:start], frozenset(range(start, end + 1)), *single[end + 1 :])


class Reshape(Rearrangement):
    """The same elements in another shape; one size may be -1 and takes what is left.

    Example: `reshape: {shape: [8, -1]}` on 64x4x4 gives 8x128
    """

    kind = "reshape"
    main = "shape"
    view = View.IN_ORDER
    also = ("Unflatten", "view")

    shape = Integers(at_least=-1, doc="the new sizes, without the batch; one may be -1", torch="size")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        unknown = self.shape.count(-1)
        known = prod(size for size in self.shape if size != -1)
        if unknown > 1 or 0 in self.shape:
            what = "a size of 0" if 0 in self.shape else "more than one -1"
            raise LayerError(f"a shape has no room for {what}", option="shape")
        message = f"{x.numel} elements of {x} do not fill {format_shape(self.shape)}"
        if unknown:
            geometry.require_equal(x.numel % known, 0, message, "shape")
        else:
            geometry.require_equal(x.numel, known, message, "shape")
        sizes = (x.numel // known if size == -1 else size for size in self.shape)
        return TensorType(tuple(sizes), x.dtype)

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return axes.reshaped(names[0], xs[0].shape, y.shape)

    def source_axes(self, x: TensorType) -> tuple[frozenset[int], ...]:
        """The elements stay in order: an axis covers the input axes whose stride ranges overlap its own."""
        found, inner = list[frozenset[int]](), x.numel
        steps = [(prod(x.shape[axis + 1 :]), prod(x.shape[axis:])) for axis in range(len(x.shape))]
        for size in self.infer((x,)).shape:
            outer, inner = inner, inner // size
            along = (axis for axis, (step, whole) in enumerate(steps) if step % outer and inner % whole)
            found.append(frozenset(along))
        return tuple(found)


class Permute(Rearrangement):
    """The axes in another order: axis i of the output is axis `order[i]` of the input.

    Example: `permute: {order: [1, 2, 0]}` on 96x56x56 gives 56x56x96
    """

    kind = "permute"
    main = "order"
    view = View.STRIDED
    also = ("Permute", "transpose")

    order = Integers(at_least=None, doc="the input's axes in their new order", torch="dims")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        axes = [geometry.resolve_axis(axis, len(x.shape), "order") for axis in self.order]
        message = f"order names each of the {len(x.shape)} axes of {x} once, not {list(self.order)}"
        geometry.require_equal(sorted(axes), list(range(len(x.shape))), message, "order")
        return TensorType(tuple(x.shape[axis] for axis in axes), x.dtype)

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return axes.arranged(tuple(names[0][axis] for axis in self.order))

    def source_axes(self, x: TensorType) -> tuple[frozenset[int], ...]:
        rank = len(x.shape)
        return tuple(frozenset((geometry.resolve_axis(axis, rank, "order"),)) for axis in self.order)


class Squeeze(Rearrangement):
    """Drops axes of size 1: all of them, or those named.

    Example: `squeeze` on 512x1x1 gives 512
    """

    kind = "squeeze"
    main = "axes"
    view = View.ANY

    axes = Maybe(
        Integers(at_least=None, doc="the axes to drop; every one of size 1 unless given", torch="dim")
    )

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        if self.axes is None:
            return TensorType(tuple(size for size in x.shape if size != 1), x.dtype)
        dropped = {geometry.resolve_axis(axis, len(x.shape), "axes") for axis in self.axes}
        for axis in dropped:
            message = f"axis {axis} of {x} has size {x.shape[axis]}, only a size of 1 can go"
            geometry.require_equal(x.shape[axis], 1, message, "axes")
        return TensorType(tuple(s for axis, s in enumerate(x.shape) if axis not in dropped), x.dtype)

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        rank = len(names[0])
        if self.axes is None:
            gone = {axis for axis, size in enumerate(xs[0].shape) if size == 1}
        else:
            gone = {geometry.resolve_axis(axis, rank, "axes") for axis in self.axes}
        return tuple(name for axis, name in enumerate(names[0]) if axis not in gone)

    def source_axes(self, x: TensorType) -> tuple[frozenset[int], ...]:
        rank = len(x.shape)
        if self.axes is None:
            return tuple(frozenset((axis,)) for axis, size in enumerate(x.shape) if size != 1)
        dropped = {geometry.resolve_axis(axis, rank, "axes") for axis in self.axes}
        return tuple(frozenset((axis,)) for axis in range(rank) if axis not in dropped)


class Unsqueeze(Rearrangement):
    """Adds an axis of size 1 before `axis`.

    Example: `unsqueeze: {axis: 0}` on 28x28 gives 1x28x28
    """

    kind = "unsqueeze"
    main = "axis"
    view = View.ANY
    also = ("expand_dims",)

    axis = Integer(at_least=None, doc="where the new axis stands in the output", torch="dim")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        axis = geometry.resolve_axis(self.axis, len(x.shape) + 1, "axis")
        return TensorType((*x.shape[:axis], 1, *x.shape[axis:]), x.dtype)

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        axis = geometry.resolve_axis(self.axis, len(y.shape), "axis")
        if not axis and names[0][:1] == ("C",):
            return axes.channels_first(len(y.shape))  # a picture without channels gets one
        if not axis and axes.feature_axis(names[0]) is None:
            return ("C", *names[0])
        return (*names[0][:axis], axes.by_place(axis), *names[0][axis:])

    def source_axes(self, x: TensorType) -> tuple[frozenset[int], ...]:
        rank = len(x.shape)
        axis = geometry.resolve_axis(self.axis, rank + 1, "axis")
        single = [frozenset((old,)) for old in range(rank)]
        return (*single[:axis], frozenset(), *single[axis:])


class Roll(Rearrangement):
    """Moves the elements along each axis, and those that leave at one end in at the other.

    y[i] = x[(i - shift) mod size], as PyTorch's roll. `shift` lists the axes in order, the channels of a
    channel-first tensor among them; axes after the last one listed stay.

    Example: `roll: {shift: [-3, -3]}` on 56x56x96 gives 56x56x96
    """

    kind = "roll"
    main = "shift"
    fusible = True
    also = ("Roll", "cyclic_shift")

    shift = Integers(at_least=None, doc="positions moved along each axis, negative backward", torch="shifts")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        message = f"shift lists {len(self.shift)} axes, the input of {x} has {len(x.shape)}"
        geometry.require_at_least(len(x.shape), len(self.shift), message, "shift")
        return x

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        (x,) = xs
        return None if any(self.shift[1:]) else pointwise(x)


class ChannelShuffle(Rearrangement):
    """Distributes the channels of each group over all groups (Zhang et al. 2017).

    Channel i of g groups of n goes to (i mod n) g + i // n, as PyTorch's ChannelShuffle.

    Example: `channel_shuffle: {groups: 2}` on 116x28x28 gives 116x28x28
    """

    kind = "channel_shuffle"
    main = "groups"
    keeps_layout = True
    fusible = True
    also = ("ChannelShuffle",)

    groups = Integer(doc="groups of channels that are mixed", torch="groups")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        geometry.require_at_least(len(x.shape), 2, f"channel_shuffle reads channels and positions, not {x}")
        geometry.require_divides(self.groups, x.shape[0], "channels", "groups")
        return x

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        (x,) = xs
        return pointwise(x)
