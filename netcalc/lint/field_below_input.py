"""N201: a receptive field smaller than the input."""

from collections.abc import Iterator

from netcalc.diagnostics import Severity
from netcalc.lint.fields import last_convolution
from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule
from netcalc.tensor import format_shape


class FieldBelowInput(Rule):
    """At the last convolution no position sees the whole input.

    A warning where a position of an image sees less than half of it along every axis and the positions
    are then pooled into one, since no layer relates distant parts of the input to each other. A note
    elsewhere: sound and points are mostly judged by their parts, linear layers on a flattened map see all
    of it, a dense prediction may do with its surroundings. Attention or a linear layer over positions,
    as in a mixer, after the last convolution sees everything.

    Why:
        A global average of local features is a bag of patches: it cannot tell how they lie to one
        another. More depth, stride or dilation makes the field grow.

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - global_avgpool
          - linear: {units: 10}

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, stride: 4, pad: 1}
          - relu
          - conv: {filters: 32, kernel: 9, pad: 4}
          - relu
          - global_avgpool
          - linear: {units: 10}
    """

    code = "N201"
    name = "field-below-input"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        last = last_convolution(net)
        if last is None:
            return
        node, field = last
        if any(size < given for size, given in zip(field.sizes, field.origin, strict=True)):
            size, given = format_shape(field.sizes), format_shape(field.origin)
            message = f"at the last convolution, {node.full_name}, a position sees {size} of {given} inputs"
            half = all(2 * size < given for size, given in zip(field.sizes, field.origin, strict=True))
            bag = half and len(field.axes) > 1 and _is_pooled(net)
            severity: Severity = "warning" if bag else "note"
            help = "more layers, stride or dilation widen the field"
            yield Finding(node, message, help=help, severity=severity)


def _is_pooled(net: Net) -> bool:
    """Whether many positions are pooled into one."""
    return any(
        node.layer.pools and positions(node.output) == 1 < positions(net.input(node))
        for node in net.graph.nodes
    )
