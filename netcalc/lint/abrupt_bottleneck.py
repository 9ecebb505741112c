"""N602: a layer that throws most of the representation away at once."""

from collections.abc import Collection, Iterator

from netcalc.graph import Node
from netcalc.layers.convolution import Convolution
from netcalc.layers.pooling import AdaptivePool, Pooling
from netcalc.layers.shape import Flatten
from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.windows import axes

ABRUPT = 8
"""The largest ratio of values before and after a layer that is not abrupt."""


class AbruptBottleneck(Rule):
    """A convolution or pool leaves less than an eighth of all values that were known before it.

    All tensors that are still to be read count, so that a narrow branch beside a wide one is none.
    The last layer with weights, and one that leaves a single position along an axis, are meant to be
    narrow; they do not count, and neither does an adaptive pool before a flatten or a side head after
    an output is done.

    Why:
        What is lost here, no later layer can bring back. Szegedy et al. (2015, principle 1): from
        input to output the representation should shrink gently. Widen the channels before the size
        goes down, or go down in two steps.

    Example:
        input: [3, 64, 64]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 4}
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu

    Fix:
        input: [3, 64, 64]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 2}
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 2}
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
    """

    code = "N602"
    name = "abrupt-bottleneck"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        last = _last_readers(net)
        live = {given.name: given.type.numel for given in net.graph.inputs}
        before = sum(live.values())
        for number, node in enumerate(net.graph.nodes):
            live[node.full_name] = node.output.numel
            after = before + node.output.numel
            for name in {*node.inputs}:
                if last[name] == number:
                    after -= live.pop(name)
            narrows = isinstance(node.layer, (Convolution, Pooling)) and positions(node.output) > 1
            narrows = (
                narrows
                and not _is_laid_out(net, node)
                and not any(axis.size > axis.windows == 1 for axis in axes(net, node))
            )
            if narrows and before > ABRUPT * after and not _is_head(net, node, live):
                message = f"{node.full_name} leaves {after:,} of {before:,} values"
                yield Finding(node, message, help="go down in two steps, or widen the channels before")
            before = after


def _is_laid_out(net: Net, node: Node) -> bool:
    """Whether a node is an adaptive pool before a flatten, which fixes the size for the layers after it."""
    reader = net.only_reader(node)
    return isinstance(node.layer, AdaptivePool) and reader is not None and isinstance(reader.layer, Flatten)


def _is_head(net: Net, node: Node, live: Collection[str]) -> bool:
    """Whether a node is the last layer with weights, or an output is computed before it."""
    return node.full_name in net.heads or any(name in live for name in net.outputs)


def _last_readers(net: Net) -> dict[str, int]:
    """The number of the last layer that reads each tensor; outputs live to the end."""
    numbers = {node.full_name: number for number, node in enumerate(net.graph.nodes)}
    last = {name: numbers[readers[-1].full_name] for name, readers in net.graph.readers.items() if readers}
    return last | dict.fromkeys(net.graph.outputs, len(net.graph.nodes))
