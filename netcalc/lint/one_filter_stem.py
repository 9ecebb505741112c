"""N604: a first convolution with a single filter."""

from collections.abc import Iterator

from netcalc.layers.convolution import Convolution, DepthwiseConv
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class OneFilterStem(Rule):
    """The first convolution has one filter, and everything after it reads its one channel.

    Why:
        All that the network learns of its input must pass one linear filter, whose output is mostly the
        brightness or an edge of one direction. First layers have 16 filters and more.

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 1, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
    """

    code = "N604"
    name = "one-filter-stem"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        given = {tensor.name for tensor in net.graph.inputs}
        for node in net.graph.nodes:
            alone = node.inputs[0] in given and len(net.graph.readers[node.inputs[0]]) == 1
            narrow = isinstance(node.layer, Convolution) and node.output.shape[0] == 1
            if alone and narrow and node.full_name not in net.heads:
                message = f"all that is read of {node.inputs[0]} passes the one filter of {node.full_name}"
                option = "multiplier" if isinstance(node.layer, DepthwiseConv) else "filters"
                yield Finding(node, message, help=f"take {option}: 16 or more")
