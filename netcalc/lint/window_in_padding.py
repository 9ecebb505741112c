"""N103: padding as wide as the kernel."""

from collections.abc import Iterator

from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.windows import axes


class WindowInPadding(Rule):
    """The padding is as wide as the kernel or wider: some windows see nothing of the input.

    Why:
        Those outputs are the bias alone, the same for every input, and the layers after it compute on
        them all the same. It is mostly a 3x3's padding left on a kernel that became 1x1.

    Example:
        input: [64, 14, 14]
        layers:
          - conv: {filters: 64, kernel: 1, pad: 1}
          - relu

    Fix:
        input: [64, 14, 14]
        layers:
          - conv: {filters: 64, kernel: 1}
          - relu
    """

    code = "N103"
    name = "window-in-padding"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            for axis in axes(net, node):
                pad = max(axis.before, axis.after)
                if pad >= axis.extent:
                    message = (
                        f"windows of {node.full_name} see padding alone: {axis.extent} wide, it pads {pad}"
                    )
                    half = (axis.extent - 1) // 2
                    help = f"pad: {half} keeps the size" if half else "leave out pad:"
                    yield Finding(node, message, help=help)
                    break
