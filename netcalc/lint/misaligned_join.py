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
        One position of the sum or of the concatenation then speaks of two places. Later layers
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
            if row.receptive_field is not None and not _are_aligned(net, names):
                notes = tuple(Note(_format_centres(net, name)) for name in names)
                message = f"{row.node.full_name} joins paths centred on different places of the input"
                help = "give the paths the same strides, with odd kernels padded alike"
                yield Finding(row.node, message, notes, help)


def _are_aligned(net: Net, names: tuple[str, ...]) -> bool:
    """Whether the fields of several tensors have the same strides and centres, or ends, along each axis."""
    fields = [_axes(net, name) for name in names]
    return all(_is_axis_aligned(paths) for paths in zip(*fields, strict=True))


def _is_axis_aligned(paths: tuple[AxisField, ...]) -> bool:
    if len({axis.stride for axis in paths}) > 1:
        return False
    centres = [axis.centre for axis in paths]
    tolerance = max(axis.advance if len(axis.first) > 1 else Fraction(axis.advance, 2) for axis in paths)
    return max(centres) - min(centres) < tolerance or len({axis.last for axis in paths}) == 1


def _axes(net: Net, name: str) -> tuple[AxisField, ...]:
    """The field of a tensor along each axis; that of an input is one position."""
    if name not in net.rows:
        return (AxisField(1, (0,), (0,)),) * len(net.graph.types[name].shape[1:])
    field = net.rows[name].receptive_field
    assert field is not None  # the join has one
    return field.axes


def _format_centres(net: Net, name: str) -> str:
    axes = _axes(net, name)
    centres = ", ".join(f"{float(axis.centre):g}" for axis in axes)
    strides = ", ".join(f"{float(axis.stride):g}" for axis in axes)
    return f"{name}: the first position is centred on {centres} of the input, the next {strides} further on"
