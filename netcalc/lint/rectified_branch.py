"""N306: a ReLU at the end of a residual branch."""

from collections.abc import Iterator

from netcalc.graph import Node
from netcalc.layers.activation import Activation
from netcalc.layers.convolution import ConvTranspose
from netcalc.layers.cutting import Cutting
from netcalc.layers.merge import Add
from netcalc.layers.normalisation import Normalisation
from netcalc.layers.resampling import Resampling
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class RectifiedBranch(Rule):
    """A residual branch ends in a ReLU.

    Silent where an activation follows the addition and the branch has no normalisation, as in the
    temporal convolutional network, and for branches that are no plain chain from what the shortcut reads.

    Why:
        Such a branch can only add: what goes along the shortcuts grows from block to block and is never
        taken back (He et al. 2016, "Identity mappings", section 4.1: 7.84% error instead of 6.61%).

    Example:
        input: [64, 16, 16]
        layers:
          - residual:
              main:
                - conv: {filters: 64, kernel: 3, pad: 1}
                - relu
          - conv: {filters: 64, kernel: 3, pad: 1}

    Fix:
        input: [64, 16, 16]
        layers:
          - residual:
              main:
                - relu
                - conv: {filters: 64, kernel: 3, pad: 1}
          - conv: {filters: 64, kernel: 3, pad: 1}
    """

    code = "N306"
    name = "rectified-branch"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for node in net.graph.nodes:
            if not isinstance(node.layer, Add):
                continue
            for name in node.inputs:
                last = net.producer(name)
                if last is None or not last.layer.rectifies or _is_meant(net, last, node):
                    continue
                if _is_residual(net, last.full_name, node):
                    message = f"{last.full_name} ends a residual branch, which then can only add"
                    help = "move it before the branch's convolutions, or after the addition"
                    yield Finding(last, message, help=help)


def _is_meant(net: Net, last: Node, join: Node) -> bool:
    """Whether an activation follows the addition, and the branch does not end in norm and ReLU."""
    reader, read = net.only_reader(join), net.producer(last.inputs[0])
    followed = reader is not None and isinstance(reader.layer, Activation)
    return followed and (read is None or not isinstance(read.layer, Normalisation))


def _is_residual(net: Net, branch: str, join: Node) -> bool:
    """Whether a branch is a chain of layers that starts where an identity or linear shortcut starts."""
    passed = {*_chain(net, branch)}
    for name in join.inputs:
        shortcut = {name, *_chain(net, name)} if _is_linear(net, name) else {name}
        if branch not in shortcut and passed & shortcut:
            return True
    return False


def _chain(net: Net, name: str) -> Iterator[str]:
    """The chain of tensors above one, up to a join or an upsampling."""
    row = net.rows.get(name)
    while row is not None and len(row.node.inputs) == 1 and not _enlarges(row.node):
        yield row.node.inputs[0]
        row = net.rows.get(row.node.inputs[0])


def _enlarges(node: Node) -> bool:
    """Whether a layer is an upsampling, learned or not."""
    learned = isinstance(node.layer, ConvTranspose)
    return learned or isinstance(node.layer, Resampling)


def _is_linear(net: Net, name: str) -> bool:
    """Whether a shortcut is linear; a slice of the branch's input, as in Res2Net, is none."""
    if name not in net.rows:
        return False
    layer = net.rows[name].node.layer
    return layer.linear and not isinstance(layer, Cutting)
