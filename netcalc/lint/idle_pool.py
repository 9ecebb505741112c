"""N105: a pool that does nothing."""

from collections.abc import Iterator

from netcalc.diagnostics import Severity
from netcalc.graph import Node
from netcalc.layers.pooling import Pooling
from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.windows import axes


class IdlePool(Rule):
    """A pool reads windows of one position at stride 1, or a map that has one position alone.

    A note where a window as large as the map has left that position, as in Inception's side head: the
    pool then stands there for larger inputs.

    Why:
        The mean and the largest of one value are that value: the layer only looks as if it did something.
        On a map of one position it mostly shows that the layers above have brought the size down too far.

    Example:
        input: [64, 8, 8]
        layers:
          - maxpool: {kernel: 3, stride: 8, pad: 1}
          - relu
          - global_avgpool
          - linear: {units: 10}

    Fix:
        input: [64, 8, 8]
        layers:
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
          - global_avgpool
          - linear: {units: 10}
    """

    code = "N105"
    name = "idle-pool"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            if not isinstance(node.layer, Pooling):
                continue
            windows = axes(net, node)
            single = bool(windows) and all(axis.kernel == axis.stride == 1 for axis in windows)
            if single or positions(net.input(node)) == 1:
                reads = "windows of one position" if single else f"a map of {net.input(node)}"
                severity: Severity = "warning" if single or _is_lost(net, node) else "note"
                message = f"{node.full_name} reads {reads}: it does nothing"
                yield Finding(node, message, help=_help(node, single), severity=severity)


def _is_lost(net: Net, node: Node) -> bool:
    """Whether the map above was reduced to one position by strides, not by a window of its own size."""
    above = net.narrowing(node)
    return above is None or any(axis.before or axis.kernel != axis.size for axis in axes(net, above))


def _help(node: Node, single: bool) -> str:
    if single:
        return "leave it out, or give it a larger kernel"
    return "take - flatten in its place" if len(node.output.shape) == 1 else "leave it out"
