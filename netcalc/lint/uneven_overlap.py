"""N107: a transposed convolution whose kernel its stride does not divide."""

from collections.abc import Iterator

from netcalc.layers.convolution import ConvTranspose
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class UnevenOverlap(Rule):
    """The kernel of a transposed convolution is no multiple of its stride.

    Why:
        Its windows then overlap unevenly: at kernel 3 and stride 2 every other output is the sum of twice as
        many inputs, which shows as a checkerboard (Odena, Dumoulin and Olah 2016). A kernel of twice the
        stride overlaps evenly; so does an upsampling with a convolution after it.

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
            if not isinstance(node.layer, ConvTranspose):
                continue
            for kernel, stride in zip(node.layer.kernel, node.layer.stride, strict=True):
                if kernel % stride:
                    message = f"{node.full_name} overlaps unevenly: kernel {kernel} at stride {stride}"
                    yield Finding(node, message, help=f"take {_even(node.layer)}; the size stays")
                    break


def _even(layer: ConvTranspose) -> str:
    """Options with the next larger kernels that overlap evenly, and the padding that keeps the size."""
    kernels, pads, output_pads = [], [], []
    for kernel, stride, dilation, pad, output_pad in zip(
        layer.kernel, layer.stride, layer.dilation, layer.pad, layer.output_pad, strict=True
    ):
        larger = -(-kernel // stride) * stride
        cut = sum(pad) - output_pad + (larger - kernel) * dilation
        sides = -(-max(cut, 0) // 2)
        kernels.append(larger)
        pads.append(sides)
        output_pads.append(2 * sides - cut)
    chosen = {"kernel": kernels, "pad": pads, "output_pad": output_pads}
    return ", ".join(
        f"{name}: {values[0] if len(set(values)) == 1 else values}" for name, values in chosen.items()
    )
