"""N202: a receptive field far larger than the input."""

from collections.abc import Iterator

from netcalc.diagnostics import Note
from netcalc.lint.fields import last_convolution
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule

FAR = 4
"""From so many times the input's size on, a field is far larger than the input."""


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
        found = last_convolution(net)
        if found is None:
            return
        node, field = found
        sizes = [axis.size for axis in field.axes]
        if all(size >= FAR * given for size, given in zip(sizes, field.origin, strict=True)):
            written, given = "x".join(map(str, sizes)), "x".join(map(str, field.origin))
            message = f"at the last convolution, {node.full_name}, a position reaches over {written}"
            yield Finding(
                node, message, (Note(f"the input is {given}"),), help="fewer strides or layers see as much"
            )
