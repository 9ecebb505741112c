"""Layers that join tensors: element by element, or along an axis."""

from netcalc.layers import geometry
from netcalc.layers.base import Cost, Layer, pointwise
from netcalc.layers.errors import LayerError
from netcalc.layers.geometry import Window
from netcalc.layers.options import Integer
from netcalc.tensor import Shape, TensorType


class _Elementwise(Layer):
    """One result an element; an axis of size 1 stretches to the others' size."""

    family = "merge"
    arity = (2, None)

    def infer(self, *xs: TensorType) -> TensorType:
        shape = xs[0].shape
        for x in xs[1:]:
            shape = self._broadcast(shape, x.shape)
        return TensorType(shape, xs[0].dtype)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=y.numel * (len(xs) - 1))

    def window(self, *xs: TensorType) -> tuple[Window, ...]:
        return pointwise(xs[0])

    def _broadcast(self, first: Shape, second: Shape) -> Shape:
        if len(first) != len(second):
            raise LayerError(
                f"{self.kind} joins tensors of one rank, these have {len(first)} and {len(second)}"
            )
        for axis, (one, other) in enumerate(zip(first, second, strict=True)):
            if one != other and 1 not in (one, other):
                raise LayerError(f"{self.kind} cannot join sizes {one} and {other} on axis {axis}")
        return tuple(other if one == 1 else one for one, other in zip(first, second, strict=True))


class Add(_Elementwise):
    """y = a + b + ...; an axis of size 1 stretches to the others' size.

    Example: `add: {from: [a, b]}` on 64x56x56, 64x56x56 gives 64x56x56
    """

    kind = "add"
    also = ("sum", "Add", "plus")


class Multiply(_Elementwise):
    """y = a b ..., element by element; an axis of size 1 stretches to the others' size.

    Example: `multiply: {from: [a, b]}` on 96x14x14, 96x1x1 gives 96x14x14
    """

    kind = "multiply"
    also = ("mul", "Multiply", "times")


class Concat(Layer):
    """Joins tensors along an axis, the channels unless given; the other sizes are equal.

    PyTorch's `dim` counts the batch axis, `axis` does not.

    Example: `concat: {from: [a, b]}` on 64x28x28, 128x28x28 gives 192x28x28
    """

    kind = "concat"
    family = "merge"
    also = ("cat", "Concatenate", "concatenate")
    arity = (2, None)

    axis = Integer(0, at_least=None, doc="the axis, without the batch", torch="dim")

    def infer(self, *xs: TensorType) -> TensorType:
        first = xs[0]
        axis = geometry.resolve_axis(self.axis, len(first.shape), "axis")
        for x in xs[1:]:
            message = f"concat joins tensors of one rank, these have {len(first.shape)} and {len(x.shape)}"
            geometry.require_equal(len(first.shape), len(x.shape), message)
            for other, (one, two) in enumerate(zip(first.shape, x.shape, strict=True)):
                if other != axis:
                    message = (
                        f"concat along axis {axis} needs equal sizes on axis {other}, not {one} and {two}"
                    )
                    geometry.require_equal(one, two, message)
        joined = sum(x.shape[axis] for x in xs)
        return TensorType((*first.shape[:axis], joined, *first.shape[axis + 1 :]), first.dtype)

    def window(self, *xs: TensorType) -> tuple[Window, ...] | None:
        along_channels = geometry.resolve_axis(self.axis, len(xs[0].shape), "axis") == 0
        return pointwise(xs[0]) if along_channels else None
