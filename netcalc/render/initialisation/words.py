"""An initialisation's statistics in words: what happens to the scale, and what each figure is."""

from math import floor, inf, log10
from typing import TYPE_CHECKING

from netcalc.render.escaping import visible
from netcalc.render.execution.run import share, three_digits

if TYPE_CHECKING:
    from netcalc.backend.profiling import Moments
    from netcalc.train.statistics import Signals, Stage

_DECIMALS = 6
"""The most decimals of a mean."""


def stage_name(stage: "Stage") -> str:
    """A stage as the tables name it: `conv1 + batchnorm + relu`."""
    return " + ".join((stage.node.full_name, *(node.layer.kind for node in stage.then)))


def mean_text(moments: "Moments") -> str:
    """A mean as exact as its deviation is: what is less is chance."""
    decimals = 2 - floor(log10(moments.std)) if 0 < moments.std < inf else -1
    return f"{moments.mean:z.{decimals}f}" if 0 <= decimals <= _DECIMALS else three_digits(moments.mean)


def verdict_in_words(signals: "Signals", init: str) -> str:
    """What happens between the first stage and the last: `he keeps the scale. ...`."""
    first, last = signals.stages[0], signals.stages[-1]
    begin, end = visible(first.stage.node.full_name), visible(last.stage.node.full_name)
    broken = next((row.stage.node.full_name for row in signals.stages if not row.moments.is_finite), None)
    if broken is not None:
        return f"{init} explodes. Values are not finite from {visible(broken)} on."
    verdict = "keeps the scale" if signals.verdict == "keeps" else signals.verdict
    stds = f"from {three_digits(first.moments.std)} at {begin} to {three_digits(last.moments.std)} at {end}"
    ratio = three_digits(signals.ratio)
    words = f"{init} {verdict}. The activations' deviation goes {stds}, a ratio of {ratio}"
    if signals.gradient_ratio is not None:
        back = f"{three_digits(last.gradient)} at {end} to {three_digits(first.gradient)} at {begin}"
        words += f"; the gradients' from {back}, a ratio of {three_digits(signals.gradient_ratio)}"
    if signals.saturated is not None:
        words += f". Of the outputs of tanh and sigmoid {share(signals.saturated)} are saturated"
    return f"{words}."
