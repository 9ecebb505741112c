"""N601: layers that no output depends on."""

from collections.abc import Iterator

from netcalc.diagnostics import Note, counted
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class UnusedLayer(Rule):
    """A branch ends without being read: no output of the network depends on it.

    Why:
        It is computed and gets no gradient, so it never learns. Either it is left over, or something
        that should read it reads another layer.

    Example:
        input: [3, 32, 32]
        layers:
          - conv: {name: stem, filters: 16, kernel: 3, pad: 1}
          - relu: {name: features}
          - conv: {name: gate, filters: 16, kernel: 1}
          - conv: {name: head, from: features, filters: 10, kernel: 1}

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {name: stem, filters: 16, kernel: 3, pad: 1}
          - relu: {name: features}
          - conv: {name: head, from: features, filters: 10, kernel: 1}
    """

    code = "N601"
    name = "unused-layer"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        unused = net.graph.unused
        macs = sum(net.rows[name].figures.macs for name in unused)
        params = sum(net.rows[name].figures.params for name in unused)
        for node in net.graph.nodes:
            if node.full_name in unused and not net.graph.readers[node.full_name]:
                layers = counted(len(unused), "layer")
                note = f"unused in all: {layers}, {params:,} parameters, {macs:,} multiply-adds"
                help = "remove it, read it with from:, or name it in outputs:"
                yield Finding(node, f"no output depends on {node.full_name}", (Note(note),), help)
