"""N203: paths that are centred differently where they join."""

from collections.abc import Iterator
from fractions import Fraction

from netcalc.analysis import AxisField
from netcalc.diagnostics import Note
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class MisalignedJoin(Rule):
    """Paths join whose receptive fields are centred on different places of the input.

    Why:
        One position of the sum or of the concatenation then speaks of two places. The layers behind
        have to learn the shift away, and a dense prediction is blurred by it. It comes from an even
        kernel or from padding on one side in one of the paths. A 2x2 pool and a 2x2 upsampling cancel out.

    Example:
        input: [16, 32, 32]
        layers:
          - parallel:
              branches:
                left: [{conv: {filters: 16, kernel: 3, stride: 2, pad: 1}}, relu]
                right: [{maxpool: {kernel: 2, stride: 2}}]

    Fix:
        input: [16, 32, 32]
        layers:
          - parallel:
              branches:
                left: [{conv: {filters: 16, kernel: 3, stride: 2, pad: 1}}, relu]
                right: [{maxpool: {kernel: 3, stride: 2, pad: 1}}]
    """

    code = "N203"
    name = "misaligned-join"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for row in net.report.rows:
            names = row.node.inputs
            if row.receptive_field is not None and len({_places(net, name) for name in names}) > 1:
                notes = tuple(Note(_told(net, name)) for name in names)
                message = f"{row.node.full_name} joins paths centred on different places of the input"
                help = "give the paths the same strides, with odd kernels padded alike"
                yield Finding(row.node, message, notes, help)


def _places(net: Net, name: str) -> tuple[tuple[Fraction, Fraction], ...]:
    """Along each axis of the input, where a tensor's first position is centred and how far the next one is.

    Where something upsamples, positions are centred differently in turn; their mean counts.
    """
    if name not in net.rows:
        return ((Fraction(0), Fraction(1)),) * len(net.graph.types[name].shape[1:])
    field = net.rows[name].receptive_field
    assert field is not None  # since the join has one
    return tuple((_centre(axis), axis.stride) for axis in field.axes)


def _centre(axis: AxisField) -> Fraction:
    period = len(axis.first)
    return Fraction(sum(axis.first) + sum(axis.last), 2 * period) - axis.stride * (period - 1) / 2


def _told(net: Net, name: str) -> str:
    places = _places(net, name)
    centres, steps = (", ".join(f"{float(part):g}" for part in parts) for parts in zip(*places, strict=True))
    return f"{name}: the first position is centred on {centres} of the input, the next {steps} further on"
