"""N205: receptive fields that padding on one side has moved away."""

from collections.abc import Iterator
from fractions import Fraction

from netcalc.analysis import AxisField
from netcalc.lint.fields import last_convolution
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule

FAR = 2
"""A shift in positions that is larger than rounding can cause."""


class DriftingField(Rule):
    """At the last convolution fields are centred two positions or more beside their own place.

    That is along all axes of an image, or along a sequence towards what comes after. A causal sequence
    model, which sees what came before, and padding on one side of one axis, as in PixelCNN, are not meant.

    Why:
        Padding on one side moves each layer's output against its input, and the shifts add up: an output
        speaks of another place than its own, and one border's padding is seen more than the other's.

    Example:
        input: [16, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, pad: [[2, 0], [2, 0]]}
          - relu
          - conv: {filters: 16, kernel: 3, pad: [[2, 0], [2, 0]]}
          - relu

    Fix:
        input: [16, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu
    """

    code = "N205"
    name = "drifting-field"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        last = last_convolution(net)
        if last is None:
            return
        node = last[0]
        field = net.rows[node.full_name].receptive_field
        assert field is not None  # last_convolution found it
        drifts = [
            _drift(axis, size, given)
            for axis, size, given in zip(field.axes, node.output.shape[1:], field.origin, strict=True)
        ]
        least = min(map(abs, drifts))
        if least >= FAR and (len(drifts) > 1 or drifts[0] == least):
            shifts = ", ".join(f"{float(drift):+g}" for drift in drifts)
            message = f"positions of {node.full_name} are centred {shifts} positions beside their place"
            yield Finding(node, message, help="pad alike on both sides, as pad: same does with odd kernels")


def _drift(axis: AxisField, size: int, given: int) -> Fraction:
    """The distance of the middle position's centre from that of the input, in strides of the coarsest map."""
    return (axis.centre + axis.stride * (size - 1) / 2 - Fraction(given - 1, 2)) / axis.advance
