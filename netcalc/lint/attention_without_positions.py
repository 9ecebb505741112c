"""N701: attention without positional information."""

from collections.abc import Iterator

from netcalc.diagnostics import Severity
from netcalc.graph import Node
from netcalc.layers.convolution import Convolution
from netcalc.layers.shape import Flatten
from netcalc.lint.axes import mixes_positions, position_axes
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


class AttentionWithoutPositions(Rule):
    """Attention reads words or patches, and nothing says in which order they stand.

    A position table, an embedding of positions that is added, rotary positions, overlapping
    convolutions, recurrence, a causal mask and a linear layer over positions do. A note on T x D inputs:
    they may be sets, or bring their positions along. A note too where a later flatten tells positions
    apart, as in TabTransformer. Fixed sinusoids, which have no layer, want
    `ignore: N701`.

    Why:
        Attention is the same for every order of its input: without positions a sentence is a bag of words
        and an image a bag of patches (Vaswani et al. 2017, section 3.5).

    Example:
        input: [64]
        layers:
          - embedding: {entries: 1000, width: 32}
          - residual: {main: [layernorm, {multi_head_attention: {heads: 4}}]}
          - layernorm

    Fix:
        input: [64]
        layers:
          - embedding: {entries: 1000, width: 32}
          - parameter: {shape: [64, 32]}
          - residual: {main: [layernorm, {multi_head_attention: {heads: 4}}]}
          - layernorm
    """

    code = "N701"
    name = "attention-without-positions"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        axes = position_axes(net)
        ordered: set[str] = set()
        positioned: set[str] = set()
        origins = {given.name: frozenset((given.name,)) for given in net.graph.inputs}
        for node in net.graph.nodes:
            name, reads = node.full_name, {*node.inputs}
            origins[name] = frozenset().union(*(origins[one] for one in reads))
            types = net.graph.input_types(node)
            mixes = mixes_positions(node, axes)
            if reads & positioned or mixes or len(origins[name]) > 1 or node.layer.tells_positions(types):
                positioned.add(name)
            elif node.layer.reads_tokens or isinstance(node.layer, Convolution) or reads & ordered:
                ordered.add(name)
            if node.layer.mixes_tokens and name not in positioned:
                severity: Severity = "warning" if name in ordered and not _is_laid_out(net, name) else "note"
                message = f"{name} is not told the positions of what it reads"
                yield Finding(
                    node,
                    message,
                    help=f"put - parameter: {{shape: [{_sizes(node)}]}} before it",
                    severity=severity,
                )
                break


def _is_laid_out(net: Net, name: str) -> bool:
    """Whether a flatten follows, after which each position has weights of its own."""
    reached = {name}
    for node in net.graph.nodes:
        if reached & {*node.inputs}:
            reached.add(node.full_name)
            joined = [size for size in net.input(node).shape if size != 1]
            if isinstance(node.layer, Flatten) and len(joined) > len(node.output.shape) == 1:
                return True
    return False


def _sizes(node: Node) -> str:
    return ", ".join(map(str, node.output.shape))
