"""N202: a receptive field far larger than the input."""

from collections.abc import Iterator

from netcalc.diagnostics import Note
from netcalc.lint.fields import last_convolution
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.tensor import format_shape

FAR = 4
"""A field is far larger than the input from this multiple of its size on."""


class FieldBeyondInput(Rule):
    """At the last convolution every position sees four times the input's size or more.

    Why:
        Most of what the last windows reach is padding, and every position sees the whole input
        already: the last layers add depth, not context. It is usual in very deep networks, and the
        field that matters is smaller than this bound; on small inputs it says that fewer strides or
        layers would do.

    Example:
        input: [3, 16, 16]
        layers:
          - conv: {filters: 16, kernel: 7, stride: 2, pad: 3}
          - relu
          - conv: {filters: 32, kernel: 7, stride: 2, pad: 3}
          - relu
          - conv: {filters: 64, kernel: 7, stride: 2, pad: 3}
          - relu
          - conv: {filters: 64, kernel: 7, pad: 3}
          - relu

    Fix:
        input: [3, 16, 16]
        layers:
          - conv: {filters: 16, kernel: 3, stride: 2, pad: 1}
          - relu
          - conv: {filters: 32, kernel: 3, stride: 2, pad: 1}
          - relu
          - conv: {filters: 64, kernel: 3, stride: 2, pad: 1}
          - relu
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
    """

    code = "N202"
    name = "field-beyond-input"
    severity = "note"

    def check(self, net: Net) -> Iterator[Finding]:
        last = last_convolution(net)
        if last is None:
            return
        node, field = last
        if all(size >= FAR * given for size, given in zip(field.sizes, field.origin, strict=True)):
            size = format_shape(field.sizes)
            message = f"at the last convolution, {node.full_name}, a position reaches over {size}"
            notes = (Note(f"the input is {format_shape(field.origin)}"),)
            yield Finding(node, message, notes, help="fewer strides or layers see as much")
