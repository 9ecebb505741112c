"""Receptive fields: the input positions that each output position depends on, exactly.

After Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill
2019. The field of a join is the union over its paths; paths with different centres are marked. Their
recurrence needs integer strides. Here a field is stored for one period of outputs, so that upsampling and
transposed convolutions are exact too.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import gcd, lcm
from typing import TYPE_CHECKING, NamedTuple

from netcalc.graph import Graph, Node
from netcalc.layers import Window
from netcalc.layers.axes import Axes
from netcalc.tensor import Shape, TensorType

if TYPE_CHECKING:
    from fractions import Fraction

MAX_PERIOD = 1024
"""The longest period of outputs for which a field is computed."""


class AxisField(NamedTuple):
    """Output u depends on inputs first[u mod p] + advance (u // p) to last[u mod p] + advance (u // p).

    p = len(first) is the period: 1 unless a layer before upsamples.
    """

    advance: int
    first: tuple[int, ...]
    last: tuple[int, ...]

    @property
    def size(self) -> int:
        """The extent of the largest field, in inputs."""
        return max(last - first + 1 for first, last in zip(self.first, self.last, strict=True))

    @property
    def stride(self) -> "Fraction":
        """Inputs between the fields of neighbouring outputs, on average."""
        return _ratio(self.advance, len(self.first))

    @property
    def padding(self) -> int:
        """How far the first output's field reaches before the start of the input."""
        return -self.first[0]

    @property
    def centre(self) -> "Fraction":
        """The input that the first output's field is centred on; after upsampling the mean over a period."""
        period = len(self.first)
        return _ratio(sum(self.first) + sum(self.last) - self.advance * (period - 1), 2 * period)

    def through(self, window: Window) -> "AxisField | None":
        """The field after a layer with this window; None where its period exceeds MAX_PERIOD."""
        stride, before, reach, upsampling = window
        if upsampling == 1 and len(self.first) == 1:
            start = self.first[0] - before * self.advance
            end = self.last[0] + (reach - before) * self.advance
            return AxisField(self.advance * stride, (start,), (end,))
        inner = len(self.first)
        period = upsampling * inner // gcd(stride, upsampling * inner)
        if period > MAX_PERIOD:
            return None
        first = tuple(self._at(self.first, -((before - stride * u) // upsampling)) for u in range(period))
        last = tuple(self._at(self.last, (stride * u - before + reach) // upsampling) for u in range(period))
        return AxisField(self.advance * stride * period // (upsampling * inner), first, last)

    def _at(self, bounds: tuple[int, ...], position: int) -> int:
        periods, phase = divmod(position, len(bounds))
        return bounds[phase] + self.advance * periods

    def repeated(self, period: int) -> "AxisField":
        """The same field over a multiple of its period."""
        first = tuple(self._at(self.first, u) for u in range(period))
        last = tuple(self._at(self.last, u) for u in range(period))
        return AxisField(self.advance * period // len(self.first), first, last)


def _ratio(numerator: int, denominator: int) -> "Fraction":
    from fractions import Fraction  # a table without the columns of fields needs none

    return Fraction(numerator, denominator)


class Field(NamedTuple):
    """The receptive field of a tensor's positions along each spatial axis."""

    axes: tuple[AxisField, ...]
    origin: Shape
    """The spatial sizes of the network's input."""
    aligned: bool = True
    """False where paths join here whose fields have different centres or strides."""

    @property
    def sizes(self) -> Shape:
        """The size along each axis."""
        return tuple(axis.size for axis in self.axes)


def receptive_fields(graph: Graph, axes: Mapping[str, Axes]) -> Iterator[Field | None]:
    """The field of each node's output, in order; None where an output depends on the whole input.

    `axes` names the axes of every tensor. Only channels-first tensors have a field: sequences of features
    and channels-last images have none.
    """
    fields = {given.name: _input_field(given.type, axes[given.name]) for given in graph.inputs}
    for node in graph.nodes:
        field = _node_field(node, graph.input_types(node), [fields[name] for name in node.inputs])
        fields[node.full_name] = field
        yield field


def _input_field(type: TensorType, axes: Axes) -> Field | None:
    space = type.shape[1:]
    return Field((AxisField(1, (0,), (0,)),) * len(space), space) if space and axes[0] == "C" else None


def _node_field(node: Node, types: tuple[TensorType, ...], fields: list[Field | None]) -> Field | None:
    windows = node.layer.window(types)
    known = [field for field in fields if field is not None]
    if windows is None or len(known) < len(fields) or len(node.output.shape) != len(known[0].axes) + 1:
        return None
    if len(known) > 1:
        stretched = any(type.shape[1:] != types[0].shape[1:] for type in types)
        return None if stretched else _union(known)
    axes = [axis.through(window) for axis, window in zip(known[0].axes, windows, strict=True)]
    followed = tuple(axis for axis in axes if axis is not None)
    return Field(followed, known[0].origin) if len(followed) == len(axes) else None


def _union(fields: list[Field]) -> Field | None:
    """The field of an element-wise layer of several tensors."""
    if len({field.origin for field in fields}) > 1:
        return None
    joined = [_join_axis(axes) for axes in zip(*(field.axes for field in fields), strict=True)]
    return Field(tuple(axis for axis, _ in joined), fields[0].origin, all(aligned for _, aligned in joined))


def _join_axis(fields: Iterable[AxisField]) -> tuple[AxisField, bool]:
    """The union along one axis, and whether the strides and centres of all paths agree.

    Where the strides differ there is no fixed union; the field of the first path is returned.
    """
    fields = list(dict.fromkeys(fields))
    if len(fields) == 1:
        return fields[0], True
    if len({field.stride for field in fields}) > 1:
        return fields[0], False
    period = lcm(*(len(field.first) for field in fields))
    alike = [field.repeated(period) for field in fields]
    centres = {tuple(map(sum, zip(field.first, field.last, strict=True))) for field in alike}
    first = tuple(map(min, zip(*(field.first for field in alike), strict=True)))
    last = tuple(map(max, zip(*(field.last for field in alike), strict=True)))
    return AxisField(alike[0].advance, first, last), len(centres) == 1
