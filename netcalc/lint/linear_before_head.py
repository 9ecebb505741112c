"""N302: no nonlinearity before the last layer."""

from collections.abc import Iterator

from netcalc.lint.linear_maps import linear_pairs
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class LinearBeforeHead(Rule):
    """The last layer with weights reads a linear map: nothing nonlinear stands before it.

    Why:
        The last hidden layer and the output layer are then one linear map. The width of the hidden
        layer gives the classifier nothing.

    Example:
        input: [256]
        layers:
          - linear: {units: 128}
          - batchnorm
          - linear: {units: 10}

    Fix:
        input: [256]
        layers:
          - linear: {units: 128}
          - batchnorm
          - relu
          - linear: {units: 10}
    """

    code = "N302"
    name = "linear-before-head"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for first, second in linear_pairs(net):
            if second.full_name in net.heads:
                message = f"{second.full_name}, the last layer, reads a linear map of {first.full_name}"
                yield Finding(second, message, help=f"put - relu after {first.full_name}")
