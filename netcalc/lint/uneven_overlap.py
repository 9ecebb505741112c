"""N107: a transposed convolution whose kernel its stride does not divide."""

from collections.abc import Iterator

from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class UnevenOverlap(Rule):
    """The kernel of a transposed convolution is no multiple of its stride.

    Why:
        Its windows then overlap unevenly: at kernel 3 and stride 2 every other output is the sum of twice as
        many inputs, which shows as a checkerboard (Odena, Dumoulin and Olah 2016). A kernel of twice the
        stride overlaps evenly; so does an upsampling with a convolution behind it.

    Example:
        input: [64, 16, 16]
        layers:
          - conv_transpose: {filters: 32, kernel: 3, stride: 2, pad: 1, output_pad: 1}
          - relu

    Fix:
        input: [64, 16, 16]
        layers:
          - conv_transpose: {filters: 32, kernel: 4, stride: 2, pad: 1}
          - relu
    """

    code = "N107"
    name = "uneven-overlap"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            if node.layer.kind != "conv_transpose":
                continue
            options = vars(node.layer)
            for kernel, stride in zip(options["kernel"], options["stride"], strict=True):
                if kernel % stride:
                    message = f"{node.full_name} overlaps unevenly: kernel {kernel} at stride {stride}"
                    yield Finding(node, message, help=f"take kernel: {(kernel // stride + 1) * stride}")
                    break
