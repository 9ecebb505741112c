"""N309: a squeeze-excitation gate without a sigmoid."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.layers.activation import Activation
from netcalc.layers.merge import Multiply
from netcalc.layers.pooling import Pooling
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class UnboundedGate(Rule):
    """Channels are multiplied by what two or more layers make of their global average, without bounds.

    Silent with sigmoid, hardsigmoid, tanh or softmax at the end, and for a single convolution, as in NAFNet.

    Why:
        A gate of squeeze and excitation says how much of a channel passes, from 0 to 1 (Hu et al. 2018).
        Without the sigmoid the product of two unbounded values grows with depth, and training diverges.

    Example:
        input: [32, 16, 16]
        layers:
          - parallel:
              join: multiply
              branches:
                x: [identity]
                gate:
                  - global_avgpool: {keep: true}
                  - conv: {filters: 8, kernel: 1}
                  - relu
                  - conv: {filters: 32, kernel: 1}

    Fix:
        input: [32, 16, 16]
        layers:
          - parallel:
              join: multiply
              branches:
                x: [identity]
                gate:
                  - global_avgpool: {keep: true}
                  - conv: {filters: 8, kernel: 1}
                  - relu
                  - conv: {filters: 32, kernel: 1}
                  - sigmoid
    """

    code = "N309"
    name = "unbounded-gate"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            if not isinstance(node.layer, Multiply):
                continue
            for name in node.inputs:
                gate = net.producer(name)
                if gate is not None and gate.output.numel < node.output.numel and _is_unbounded(net, gate):
                    message = f"{gate.full_name} gates {node.full_name} without bounds"
                    where = "in place of" if isinstance(gate.layer, Activation) else "after"
                    yield Finding(gate, message, help=f"put - sigmoid {where} {gate.full_name}")


def _is_unbounded(net: Net, gate: Node) -> bool:
    """Whether a gate is two or more layers with weights after a pool, and its output is unbounded."""
    weighted, node = 0, gate
    while not isinstance(node.layer, Pooling):
        weighted += node.layer.weighted
        above = net.above(node)
        if above is None:
            return False
        node = above
    return weighted > 1 and not gate.layer.bounded
