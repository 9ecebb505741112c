"""Layers that reduce whole axes."""

from netcalc.layers import geometry
from netcalc.layers.axes import Axes
from netcalc.layers.base import Cost, Layer, pointwise
from netcalc.layers.geometry import Window
from netcalc.layers.options import Choice, Flag, Integers
from netcalc.layers.saved import NOTHING, Extra, Saved
from netcalc.tensor import TensorType


class Reduce(Layer):
    """The mean, sum or maximum over some axes, which go unless `keep`; one operation an element read.

    As PyTorch's mean, sum and amax, whose `dim` counts the batch axis; `axes` does not.

    Example: `reduce: {axes: [0]}` on 196x768 gives 768
    """

    kind = "reduce"
    main = "axes"
    family = "reduction"
    pools = True
    also = ("mean", "Mean", "ReduceMean", "reduce_mean", "amax")

    axes = Integers(at_least=None, doc="the axes taken together, without the batch", torch="dim")
    how = Choice("mean", "sum", "max", doc="what becomes of them")
    keep = Flag(False, doc="keep the axes, each of size 1", torch="keepdim")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        reduced = self._reduced(x)
        message = f"axes names an axis of {x} twice: {list(self.axes)}"
        geometry.require_equal(len(reduced), len(self.axes), message, "axes")
        if self.keep:
            return TensorType(
                tuple(1 if axis in reduced else size for axis, size in enumerate(x.shape)), x.dtype
            )
        return TensorType(tuple(size for axis, size in enumerate(x.shape) if axis not in reduced), x.dtype)

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        if self.keep:
            return names[0]
        gone = self._reduced(xs[0])
        return tuple(name for axis, name in enumerate(names[0]) if axis not in gone)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=xs[0].numel)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return Saved(inputs=(0,), output=True) if self.how == "max" else NOTHING

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """For a maximum: its positions, their number, and each one's share of the gradient."""
        return Extra(y.numel, indices=y.numel, flags=xs[0].numel) if self.how == "max" else Extra()

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        (x,) = xs
        return pointwise(x) if self.keep and self._reduced(x) == {0} else None

    def source_axes(self, x: TensorType) -> tuple[frozenset[int], ...]:
        kept = (axis for axis in range(len(x.shape)) if self.keep or axis not in self._reduced(x))
        return tuple(frozenset((axis,)) for axis in kept)

    def _reduced(self, x: TensorType) -> set[int]:
        return {geometry.resolve_axis(axis, len(x.shape), "axes") for axis in self.axes}
