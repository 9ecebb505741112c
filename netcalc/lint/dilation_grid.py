"""N204: equal dilations that leave a grid."""

from collections.abc import Iterator
from fractions import Fraction

from netcalc.graph import Node
from netcalc.layers.convolution import Convolution
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.windows import axes

MANY = 3
"""The number of equal dilations in a row from which gridding matters."""


class DilationGrid(Rule):
    """Three or more convolutions in a row have the same dilation, and what they read saw less than a window.

    Silent where the layers before see a window's width already, as in DeepLab and CSRNet, and where a
    convolution of a smaller dilation follows.

    Why:
        Equal dilations d sample the same grid in every layer: an output depends on one position in d, and
        its neighbour on others (Wang et al. 2018, "gridding"). Dilations of 1, 2, 5 or 1, 2, 4 see all.

    Example:
        input: [16, 64, 64]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 2, dilation: 2}
          - relu
          - conv: {filters: 16, kernel: 3, pad: 2, dilation: 2}
          - relu
          - conv: {filters: 16, kernel: 3, pad: 2, dilation: 2}
          - relu

    Fix:
        input: [16, 64, 64]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1, dilation: 1}
          - relu
          - conv: {filters: 16, kernel: 3, pad: 2, dilation: 2}
          - relu
          - conv: {filters: 16, kernel: 3, pad: 5, dilation: 5}
          - relu
    """

    code = "N204"
    name = "dilation-grid"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for run in _runs(net):
            first = axes(net, run[0])[0]
            if len(run) >= MANY and _seen_before(net, run[0]) < first.extent:
                message = f"{len(run)} dilations of {first.dilation} up to {run[-1].full_name} leave a grid"
                yield Finding(run[-1], message, help="take different dilations, such as 1, 2, 4")


def _runs(net: Net) -> Iterator[list[Node]]:
    """Runs of convolutions of one dilation above 1, on a path without joins, no smaller dilation after."""
    ended: set[str] = set()
    for node in reversed(net.graph.nodes):
        dilation = _dilation(net, node)
        if not dilation or node.full_name in ended:
            continue
        run = [node]
        for above in net.upward(node):
            reach = _dilation(net, above)
            if reach >= dilation:
                ended.add(above.full_name)
            if reach == dilation:
                run.append(above)
            elif reach:
                break
        if dilation > 1:
            yield run[::-1]


def _dilation(net: Net, node: Node) -> int:
    """The dilation of a convolution whose kernel is larger than 1; 0 for other layers."""
    if not isinstance(node.layer, Convolution):
        return 0
    return max((axis.dilation for axis in axes(net, node) if axis.kernel > 1), default=0)


def _seen_before(net: Net, node: Node) -> Fraction:
    """The receptive field of a layer's input, in positions of that input."""
    row = net.rows.get(node.inputs[0])
    if row is None or row.receptive_field is None:
        return Fraction(1)
    axis = row.receptive_field.axes[0]
    return axis.size / axis.stride
