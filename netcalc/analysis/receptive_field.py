"""Receptive fields: which input positions each output position depends on, exactly.

After Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill
2019: through branches the union of all paths, with paths that are centred differently marked. Their
recurrence is for strides of whole inputs; here a field is kept for one period of outputs, so that
upsampling and transposed convolutions are exact as well.
"""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple

from netcalc.graph import Graph, Node
from netcalc.layers import Window
from netcalc.layers.axes import Axes
from netcalc.tensor import Shape, TensorType

MAX_PERIOD = 1024
"""Beyond so many output positions that differ, a field is not followed."""


class AxisField(NamedTuple):
    """Output u sees inputs first[u mod p] + advance (u // p) to last[u mod p] + advance (u // p).

    p = len(first) is the period: 1 unless something on the way upsamples.
    """

    advance: int
    first: tuple[int, ...]
    last: tuple[int, ...]

    @property
    def size(self) -> int:
        """The most inputs that an output sees from its first to its last."""
        return max(last - first + 1 for first, last in zip(self.first, self.last, strict=True))

    @property
    def stride(self) -> Fraction:
        """Inputs from one output's field to the next one's."""
        return Fraction(self.advance, len(self.first))

    @property
    def padding(self) -> int:
        """How far the first output's field reaches beyond the input's start."""
        return -self.first[0]

    def through(self, window: Window) -> "AxisField | None":
        """The field after a layer with this window; None where its period grows too long."""
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
        """The same field written out for a multiple of its period."""
        first = tuple(self._at(self.first, u) for u in range(period))
        last = tuple(self._at(self.last, u) for u in range(period))
        return AxisField(self.advance * period // len(self.first), first, last)


class Field(NamedTuple):
    """The receptive field of a tensor's positions, axis by axis."""

    axes: tuple[AxisField, ...]
    origin: Shape
    """The spatial sizes of the network's input."""
    aligned: bool = True
    """False where paths join here whose fields are centred differently."""


def receptive_fields(graph: Graph, axes: Mapping[str, Axes]) -> Iterator[Field | None]:
    """The field of each node's output, in order; None where an output depends on the whole input.

    `axes` are the names of the tensors' axes. A field is one of positions behind channels: a sequence of
    features and a picture with the channels behind have none.
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
    """The field of an element that reads the same position of several tensors."""
    if len({field.origin for field in fields}) > 1:
        return None
    joined = [_join_axis(axes) for axes in zip(*(field.axes for field in fields), strict=True)]
    return Field(tuple(axis for axis, _ in joined), fields[0].origin, all(aligned for _, aligned in joined))


def _join_axis(fields: Iterable[AxisField]) -> tuple[AxisField, bool]:
    """The union along one axis, and whether the paths' strides and centres agree.

    Where the strides differ, fields drift apart from one output to the next; the first path's then
    stands for all.
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
