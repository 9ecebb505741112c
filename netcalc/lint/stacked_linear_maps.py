"""N301: two linear maps with no nonlinearity between them."""

from collections.abc import Iterator

from netcalc.lint.linear_maps import linear_pairs
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class StackedLinearMaps(Rule):
    """Two convolutions or linear layers follow each other with no nonlinearity between them.

    Batch normalisation, average pooling and dropout are linear in inference and do not count.
    Factors of a larger map, made to be cheaper than it, are not meant: a narrow layer between wide
    ones, a depthwise convolution, a 1xk kernel with a kx1.

    Why:
        A linear map of a linear map is a linear map: two 3x3 convolutions in a row can do no more
        than one 5x5, at more cost in depth and no more power of representation.

    Example:
        input: [16, 28, 28]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 32, kernel: 3, pad: 1}

    Fix:
        input: [16, 28, 28]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 32, kernel: 3, pad: 1}
    """

    code = "N301"
    name = "stacked-linear-maps"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for first, second in linear_pairs(net):
            if second.full_name not in net.heads:
                message = f"nothing nonlinear stands between {first.full_name} and {second.full_name}"
                yield Finding(second, message, help=f"put - relu after {first.full_name}")
