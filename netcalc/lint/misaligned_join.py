"""N203: paths that are centred differently where they join."""

from collections.abc import Iterator
from fractions import Fraction

from netcalc.analysis import AxisField
from netcalc.diagnostics import Note
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class MisalignedJoin(Rule):
    """Paths join whose receptive fields are centred half a position apart or more.

    A position is that of the coarsest path: a 2x2 pool beside a 3x3 convolution at stride 2 stays
    below half. What was upsampled, as in a feature pyramid, may lie anywhere in the position that it
    was before. Causal paths, which all end at the same input, are centred apart on purpose.

    Why:
        One position of the sum or of the concatenation then speaks of two places. The layers behind
        have to learn the shift away, and a dense prediction is blurred by it. It comes from an even
        kernel or from padding on one side in one of the paths.

    Example:
        input: [16, 32, 32]
        layers:
          - residual: {main: [{conv: {filters: 16, kernel: 4, pad: same}}]}
          - relu

    Fix:
        input: [16, 32, 32]
        layers:
          - residual: {main: [{conv: {filters: 16, kernel: 5, pad: same}}]}
          - relu
    """

    code = "N203"
    name = "misaligned-join"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for row in net.report.rows:
            names = row.node.inputs
            if row.receptive_field is not None and not _fit(net, names):
                notes = tuple(Note(_told(net, name)) for name in names)
                message = f"{row.node.full_name} joins paths centred on different places of the input"
                help = "give the paths the same strides, with odd kernels padded alike"
                yield Finding(row.node, message, notes, help)


def _fit(net: Net, names: tuple[str, ...]) -> bool:
    """Whether the paths go in the same steps along each axis, with centres that fit or at one end."""
    fields = [_axes(net, name) for name in names]
    return all(_fits(paths) for paths in zip(*fields, strict=True))


def _fits(paths: tuple[AxisField, ...]) -> bool:
    if len({axis.stride for axis in paths}) > 1:
        return False
    centres = [_centre(axis) for axis in paths]
    room = max(axis.advance if len(axis.first) > 1 else Fraction(axis.advance, 2) for axis in paths)
    return max(centres) - min(centres) < room or len({axis.last for axis in paths}) == 1


def _axes(net: Net, name: str) -> tuple[AxisField, ...]:
    """A tensor's field along each axis; an input's positions see themselves."""
    if name not in net.rows:
        return (AxisField(1, (0,), (0,)),) * len(net.graph.types[name].shape[1:])
    field = net.rows[name].receptive_field
    assert field is not None  # since the join has one
    return field.axes


def _places(net: Net, name: str) -> tuple[tuple[Fraction, Fraction], ...]:
    """Along each axis of the input, where a tensor's first position is centred and how far the next one is.

    Where something upsamples, positions are centred differently in turn; their mean counts.
    """
    return tuple((_centre(axis), axis.stride) for axis in _axes(net, name))


def _centre(axis: AxisField) -> Fraction:
    period = len(axis.first)
    return Fraction(sum(axis.first) + sum(axis.last), 2 * period) - axis.stride * (period - 1) / 2


def _told(net: Net, name: str) -> str:
    places = _places(net, name)
    centres, steps = (", ".join(f"{float(part):g}" for part in parts) for parts in zip(*places, strict=True))
    return f"{name}: the first position is centred on {centres} of the input, the next {steps} further on"
