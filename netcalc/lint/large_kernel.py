"""N501: a large kernel that several of 3x3 replace."""

from collections.abc import Iterator

from netcalc.diagnostics import Note
from netcalc.layers.convolution import Conv
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class LargeKernel(Rule):
    """A convolution of 5x5, 7x7 or more at stride 1 that as many 3x3 could replace for less.

    Two 3x3 see as far as one 5x5, three as far as one 7x7. They are counted with the layer's filters
    each, so the rule is silent where the input has few channels, as in a network's first layer.

    Why:
        The stack has fewer parameters and multiply-adds, and a nonlinearity between its layers
        (Simonyan and Zisserman 2014, section 2.3).

    Example:
        input: [64, 28, 28]
        layers:
          - conv: {filters: 64, kernel: 5, pad: 2}
          - relu

    Fix:
        input: [64, 28, 28]
        layers:
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
    """

    code = "N501"
    name = "large-kernel"
    severity = "note"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            if not isinstance(node.layer, Conv):
                continue
            layer, kernel, axes = node.layer, node.layer.kernel[0], len(node.layer.kernel)
            plain = layer.stride == layer.dilation == (1,) * axes
            if not plain or layer.groups != 1 or layer.kernel != (kernel,) * axes:
                continue
            layers = (kernel - 1) // 2
            if not layers or 2 * layers + 1 != kernel:
                continue
            channels, filters = net.input(node).shape[0], node.output.shape[0]
            now = kernel**axes * channels * filters
            stacked = 3**axes * (channels + (layers - 1) * filters) * filters
            if stacked < now:
                size, small = "x".join([str(kernel)] * axes), "x".join(["3"] * axes)
                message = f"{layers} convolutions of {small} see as far as the {size} of {node.full_name}"
                note = Note(f"they have {stacked:,} weights with {filters} filters each, it has {now:,}")
                help = f"write - conv: {{filters: {filters}, kernel: 3, pad: 1}} {layers} times, relu between"
                yield Finding(node, message, (note,), help)
