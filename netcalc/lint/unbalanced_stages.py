"""N504: stages whose layers cost very differently."""

from collections.abc import Iterator
from typing import NamedTuple

from netcalc.diagnostics import Note
from netcalc.graph import Node
from netcalc.layers.convolution import Convolution
from netcalc.lint.net import Net, positions
from netcalc.lint.rule import Finding, Rule

RATIO = 4
"""The largest ratio of the costs of two stages that is balanced."""


class ResolutionStage(NamedTuple):
    """The convolutions whose outputs have one resolution."""

    first: Node
    layers: int
    macs: int


class UnbalancedStages(Rule):
    """A convolution of one stage costs more than four times one of another, on average.

    A stage is all convolutions that give maps of one size; one that reads the network's input, and
    one that gives a single position, do not count.

    Why:
        Where the size halves, twice the channels keep each layer's cost (Simonyan and Zisserman
        2014): no stage then dominates the time, and none is starved. It is a rule of thumb, and
        others have left it with profit.

    Example:
        input: [3, 64, 64]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 2}
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 2}
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu

    Fix:
        input: [3, 64, 64]
        layers:
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - conv: {filters: 32, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 2}
          - conv: {filters: 64, kernel: 3, pad: 1}
          - relu
          - maxpool: {kernel: 2}
          - conv: {filters: 128, kernel: 3, pad: 1}
          - relu
    """

    code = "N504"
    name = "unbalanced-stages"
    severity = "note"

    def check(self, net: Net) -> Iterator[Finding]:
        stages = _stages(net)
        if not stages:
            return
        heavy = max(stages, key=_mean)
        light = min(stages, key=_mean)
        if _mean(heavy) > RATIO * _mean(light):
            times = f"{_mean(heavy) / _mean(light):.1f}"
            message = (
                f"a convolution of the stage from {heavy.first.full_name} on costs {times} times another's"
            )
            notes = tuple(Note(_format_stage(stage)) for stage in (heavy, light))
            yield Finding(heavy.first, message, notes, "double the channels where the size halves")


def _stages(net: Net) -> list[ResolutionStage]:
    stages: dict[tuple[int, ...], ResolutionStage] = {}
    given = {tensor.name for tensor in net.graph.inputs}
    for node in net.graph.nodes:
        if isinstance(node.layer, Convolution) and positions(node.output) > 1 and not given & {*node.inputs}:
            space, macs = node.output.shape[1:], net.rows[node.full_name].figures.macs
            stage = stages.get(space, ResolutionStage(node, 0, 0))
            stages[space] = ResolutionStage(stage.first, stage.layers + 1, stage.macs + macs)
    return [*stages.values()]


def _mean(stage: ResolutionStage) -> int:
    return stage.macs // stage.layers


def _format_stage(stage: ResolutionStage) -> str:
    layers = "1 convolution" if stage.layers == 1 else f"{stage.layers} convolutions"
    return f"from {stage.first.full_name} on: {layers} of {_mean(stage):,} multiply-adds on average"
