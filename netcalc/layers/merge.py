"""Layers that join tensors: element by element, along an axis, or as a matrix product."""

from math import prod
from typing import ClassVar

from netcalc.layers import geometry
from netcalc.layers.axes import Axes
from netcalc.layers.base import Cost, Layer, pointwise
from netcalc.layers.errors import LayerError
from netcalc.layers.geometry import Window
from netcalc.layers.operators import Operators
from netcalc.layers.options import Flag, Integer
from netcalc.layers.saved import NOTHING, Extra, Saved
from netcalc.tensor import Shape, TensorType


class Merge(Layer):
    """A layer that joins two tensors or more."""

    family = "merge"
    keeps_layout = True


class _Elementwise(Merge):
    """One result an element; an axis of size 1 stretches to the others' size."""

    fusible = True
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        shape = xs[0].shape
        for x in xs[1:]:
            shape = _broadcast(self.kind, shape, x.shape)
        return TensorType(shape, xs[0].dtype)

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        """An axis is called as in the first input that is not stretched along it."""
        found = list(super().output_axes(names, xs, y))
        for axis in range(1, len(y.shape) + 1):
            for given, x in zip(names, xs, strict=True):
                if axis <= len(given) and x.shape[-axis] != 1:
                    found[-axis] = given[-axis]
                    break
        return tuple(found)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=y.numel * (len(xs) - 1))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators | None:
        """Two at a time: of three or more the results between are tensors of their own."""
        if len(xs) == 2:
            return None
        operators, joined, type = Operators(len(xs)), 0, xs[0]
        for number, x in enumerate(xs[1:], 1):
            type = self.infer((type, x))
            joined = self._pair(operators, type.numel, joined, number)
        return operators

    def _pair(self, operators: Operators, values: int, first: int, second: int) -> int:
        """Add the operator that joins two tensors; its backward reads neither."""
        return operators.make(values, first, second)

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return pointwise(xs[0])


class Add(_Elementwise):
    """y = a + b + ...; an axis of size 1 stretches to the others' size.

    Example: `add: {from: [a, b]}` on 64x56x56, 64x56x56 gives 64x56x56
    """

    kind = "add"
    saves = NOTHING
    also = ("sum", "Add", "plus")

    def passes_gradient(self, x: TensorType, y: TensorType) -> bool:
        return x.shape == y.shape


class Multiply(_Elementwise):
    """y = a b ..., element by element; an axis of size 1 stretches to the others' size.

    Example: `multiply: {from: [a, b]}` on 96x14x14, 96x1x1 gives 96x14x14
    """

    kind = "multiply"
    also = ("mul", "Multiply", "times")

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """Each factor that another's gradient needs, and the products between the first and the last."""
        inputs, between, product, product_needs = set[int](), 0, xs[0], needs[0]
        for number, x in enumerate(xs[1:], 1):
            if product_needs:
                inputs.add(number)
            if needs[number] and number == 1:
                inputs.add(0)
            elif needs[number]:
                between = between + product.numel
            product, product_needs = self.infer((product, x)), product_needs or needs[number]
        return Saved(inputs=tuple(sorted(inputs)), each=Extra(values=between))

    def _pair(self, operators: Operators, values: int, first: int, second: int) -> int:
        """A product, whose backward reads its factors."""
        return operators.product(values, first, second)

    def backward_workspace(
        self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]
    ) -> Extra | None:
        """Of a factor that stretches its gradient of each element, before its sum."""
        return Extra(values=_stretched(xs, y, needs)) if len(xs) == 2 else None


class Subtract(_Elementwise):
    """y = a - b of two tensors; an axis of size 1 stretches to the other's size.

    Example: `subtract: {from: [a, b]}` on 64x56x56, 64x56x56 gives 64x56x56
    """

    kind = "subtract"
    saves = NOTHING
    also = ("sub", "Sub", "Subtract", "minus")
    arity = (2, 2)


class Divide(_Elementwise):
    """y = a / b of two tensors, element by element; an axis of size 1 stretches to the other's size.

    Example: `divide: {from: [a, b]}` on 96x14x14, 1x14x14 gives 96x14x14
    """

    kind = "divide"
    also = ("div", "Div", "truediv")
    arity = (2, 2)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """The divisor, and the dividend where the divisor's gradient is wanted."""
        return Saved(inputs=(0, 1) if needs[1] else (1,) if needs[0] else ())

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """For the divisor the negative gradient, the quotient and that by the divisor again."""
        given = sum(x.numel for x, needed in zip(xs, needs, strict=True) if needed)
        formula = 4 * y.numel - given if needs[1] else 0
        return Extra(values=max(formula, _stretched(xs, y, needs)))


class Concat(Merge):
    """Joins tensors along an axis, the channels unless given; the other sizes are equal.

    PyTorch's `dim` counts the batch axis, `axis` does not.

    Example: `concat: {from: [a, b]}` on 64x28x28, 128x28x28 gives 192x28x28
    """

    kind = "concat"
    saves = NOTHING
    fusible = True
    also = ("cat", "Concatenate", "concatenate")
    arity = (2, None)

    axis = Integer(0, at_least=None, doc="the axis, without the batch", torch="dim")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
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
                    if one != two:
                        raise LayerError(message, help=_bring_together(other, one, len(first.shape)))
        joined = sum(x.shape[axis] for x in xs)
        return TensorType((*first.shape[:axis], joined, *first.shape[axis + 1 :]), first.dtype)

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        along_channels = geometry.resolve_axis(self.axis, len(xs[0].shape), "axis") == 0
        return pointwise(xs[0]) if along_channels else None

    def passes_gradient(self, x: TensorType, y: TensorType) -> bool:
        return True


class MatMul(Merge):
    """Matrix product of two tensors over their last two axes: n x k and k x m to n x m.

    y[..., i, j] = sum over l of a[..., i, l] b[..., l, j], as PyTorch's matmul; axes in front hold
    products of their own, one of size 1 stretches. A product takes n m k multiply-adds.

    Example: `matmul: {from: [a, b], transpose: true}` on 16x64, 20x64 gives 16x20
    """

    kind = "matmul"
    also = ("MatMul", "bmm", "mm", "dot")
    arity = (2, 2)

    transpose = Flag(False, doc="read the second tensor as m x k")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        first, second = xs
        for x in (first, second):
            geometry.require_at_least(len(x.shape), 2, f"matmul reads tensors of two axes or more, not {x}")
        inner, columns = second.shape[-2:]
        if self.transpose:
            inner, columns = columns, inner
        transposed = " transposed" if self.transpose else ""
        message = (
            f"{first} times {second}{transposed} needs equal sizes inside, not {first.shape[-1]} and {inner}"
        )
        geometry.require_equal(first.shape[-1], inner, message)
        batch = _broadcast(self.kind, first.shape[:-2], second.shape[:-2])
        return TensorType((*batch, first.shape[-2], columns), first.dtype)

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return (*names[0][:-1], names[1][-2 if self.transpose else -1])

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(macs=y.numel * xs[0].shape[-1])

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """Each factor that the other's gradient needs, one that stretches as a copy at full size."""
        stretched = [(*y.shape[:-2], *x.shape[-2:]) for x in xs]
        read = [number for number, needed in enumerate(reversed(needs)) if needed]
        copies = [number for number in read if prod(stretched[number]) != xs[number].numel]
        inputs = tuple(number for number in read if number not in copies)
        return Saved(inputs, each=Extra(values=sum(prod(stretched[number]) for number in copies)))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        """A factor that stretches is copied at full size first."""
        operators, factors = Operators(2), []
        for number, x in enumerate(xs):
            stretched = prod((*y.shape[:-2], *x.shape[-2:]))
            factors.append(number if stretched == x.numel else operators.copy(stretched, number))
        operators.make(y.numel, *factors)
        return operators

    def backward_macs(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> int:
        return self.cost(xs, y).macs * sum(needs)


def _stretched(xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> int:
    """The gradients of each element of inputs that stretch, summed one after the other, as their first is."""
    sizes = [x.numel for x, needed in zip(xs, needs, strict=True) if needed and x.shape != y.shape]
    return y.numel * len(sizes) - sum(sizes[1:])


def _bring_together(axis: int, size: int, rank: int) -> str | None:
    """How tensors of channels and space come to one size on an axis; other tensors have no one way."""
    if rank not in (3, 4):  # a sequence has its positions first
        return None
    if axis == 0:
        return f"give one of them other channels: - conv: {{filters: {size}, kernel: 1}}"
    return "pad: same above keeps a size; stride, upsample, interpolate and crop change it"


def _broadcast(kind: str, first: Shape, second: Shape) -> Shape:
    """The shape of what two tensors give element by element."""
    if len(first) != len(second):
        raise LayerError(f"{kind} joins tensors of one rank, these have {len(first)} and {len(second)}")
    for axis, (one, other) in enumerate(zip(first, second, strict=True)):
        if one != other and 1 not in (one, other):
            message = f"{kind} cannot join sizes {one} and {other} on axis {axis}"
            raise LayerError(message, help=_bring_together(axis, one, len(first)))
    return tuple(other if one == 1 else one for one, other in zip(first, second, strict=True))
