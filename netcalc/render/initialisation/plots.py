"""Histograms of every stage as small multiples, in a PNG, SVG or PDF file."""

from typing import TYPE_CHECKING

from netcalc.render.escaping import visible
from netcalc.render.execution.run import share, three_digits
from netcalc.render.figures import STYLE, save
from netcalc.render.initialisation.words import mean_text, stage_name
from netcalc.render.layout import cut_middle

if TYPE_CHECKING:
    from netcalc.render.initialisation.result import InitResult
    from netcalc.train.statistics import StageStatistics

_COLUMNS = 6
_MOST = 240
"""Of more stages every second, third, ... is drawn."""

_COLOURS = {"keeps": "tab:green", "collapses": "tab:red", "saturates": "tab:orange", "explodes": "tab:red"}


def draw(result: "InitResult", path: str) -> None:
    """Draw the histograms side by side over one range; raises OSError where the file cannot be written."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    every = -(-len(result.signals.stages) // _MOST)
    stages = result.signals.stages[::-1][::every][::-1]
    columns = min(_COLUMNS, len(stages))
    rows = -(-len(stages) // columns)
    low, high = result.signals.range
    with rc_context(STYLE):
        figure = Figure(figsize=(max(5.0, 2.3 * columns), 1.8 * rows + 0.8), layout="constrained")
        panels = figure.subplots(rows, columns, sharex=True, squeeze=False).flat
        for stage, panel in zip(stages, panels, strict=False):  # in this order: the panels left over stay
            counts = stage.histogram
            edges = [low + (high - low) * number / len(counts) for number in range(len(counts) + 1)]
            panel.stairs(counts, edges, fill=True, color=_COLOURS[result.verdict])
            panel.set_ylim(bottom=0)
            panel.set_title(_title(stage), parse_math=False, fontsize="small")
            panel.set_xlim(low, high)
            panel.set_yticks([])
            panel.tick_params(labelsize="small")
            panel.spines[["top", "right", "left"]].set_visible(False)
        for panel in list(panels):
            panel.set_visible(False)
        which = "" if every == 1 else f"  ·  one layer in {every}"
        words = f"{visible(result.graph.name)}  ·  init {result.conditions.init}  ·  {result.verdict}{which}"
        figure.suptitle(words, parse_math=False, fontsize="medium")
        save(figure, path)


def _title(stage: "StageStatistics") -> str:
    name = cut_middle(visible(stage_name(stage.stage)), 30)
    moments = stage.moments
    zeros = f", {share(moments.zeros)} zeros" if moments.zeros >= 0.01 else ""
    return f"{name}\nmean {mean_text(moments)}, std {three_digits(moments.std)}{zeros}"
