"""The learning-rate range test: which rate the loss falls fastest at.

The rate grows by the same factor from step to step, over several decades. At low rates the loss stays as it
is, then it falls, and at last it diverges. A rate where it falls fastest is one to train with
(Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3).
"""

from collections.abc import Callable, Sequence
from math import exp, isfinite, log
from typing import NamedTuple

import numpy as np

from netcalc.train.configurable import positive
from netcalc.train.loop import Training
from netcalc.train.trial import groups, taken_back

LOWEST, HIGHEST, STEPS = 1e-7, 10.0, 100

_WIDTH = 3.0
"""The deviation of the window that losses are averaged in, in steps: 1/4 of a decade at the defaults."""

_KEPT = 0.9
"""What the running mean keeps that tells when the loss diverges."""

_DIVERGED = 4.0
"""Where the running mean is this many times its lowest, the loss has diverged."""

_LEAST = 10
"""The fewest steps before that, and of a curve that has a slope."""

_FALLEN = 2.0
"""A loss has fallen if it is lower than at first by more than this many deviations of its noise."""


class RateTrial(NamedTuple):
    """One step of the search."""

    rate: float
    loss: float
    smoothed: float
    """The mean of the losses around it; steps on both sides count, so that it does not lag."""


class RateSearch(NamedTuple):
    """What losses the rates gave, up to where they diverge."""

    trials: tuple[RateTrial, ...]
    best: float | None
    """The rate of the steepest descent; None where the loss does not fall."""
    lowest: float | None
    """The rate at which the loss is lowest."""
    diverged: float | None
    """The rate at which the search has ended; None where it came to its end."""


def find_rate(
    training: Training,
    *,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    steps: int = STEPS,
    done: Callable[[], None] = lambda: None,
) -> RateSearch:
    """Try learning rates on one batch after another; the training is afterwards where it was.

    `done` is called after each step. Raises ValueError unless 0 < lowest < highest, and for fewer steps
    than 10.
    """
    if positive(lowest, "the lowest rate") >= positive(highest, "the highest rate"):
        raise ValueError(f"the lowest rate is below the highest, not {lowest} and {highest}")
    if steps < _LEAST:
        raise ValueError(f"a search takes {_LEAST} steps or more, not {steps}")
    rates = [lowest * exp(log(highest / lowest) * step / (steps - 1)) for step in range(steps)]
    tried: list[float] = []
    losses: list[float] = []
    mean, best, diverged = 0.0, float("inf"), None
    with taken_back(training):
        for number, (rate, group) in enumerate(zip(rates, groups(training), strict=False), 1):
            record = training.update(group, factor=rate / training.optimiser.lr)[0]
            loss = record.loss
            done()
            if not record.samples:  # no label counts
                continue
            mean = _KEPT * mean + (1 - _KEPT) * loss
            corrected = mean / (1 - _KEPT**number)
            if not isfinite(loss) or (number > _LEAST and corrected > _DIVERGED * best):
                diverged = rate
                break
            best = min(best, corrected)
            tried.append(rate)
            losses.append(loss)
    return searched(tried, losses, diverged)


def searched(rates: Sequence[float], losses: Sequence[float], diverged: float | None = None) -> RateSearch:
    """What the losses at growing rates say; all of them are finite."""
    smoothed = _smoothed(losses)
    trials = tuple(map(RateTrial, rates, losses, smoothed))
    if len(losses) < _LEAST:
        return RateSearch(trials, None, None, diverged)
    least = int(np.argmin(smoothed))
    noise = float(np.std(np.diff(losses[: max(_LEAST, len(losses) // 3)]))) / 2**0.5
    if least < 2 or smoothed[0] - smoothed[least] <= max(_FALLEN * noise, 1e-3 * abs(smoothed[0])):
        return RateSearch(trials, None, None, diverged)
    slopes = np.gradient(smoothed, np.log(rates))
    steepest = int(np.argmin(slopes[: least + 1]))
    return RateSearch(trials, float(rates[steepest]), float(rates[least]), diverged)


def _smoothed(losses: Sequence[float]) -> list[float]:
    """Means in a window of Gauss's shape, cut off at the ends."""
    places = np.arange(len(losses))
    weights = np.exp(-0.5 * ((places[:, None] - places) / _WIDTH) ** 2)
    means: list[float] = (weights @ np.array(losses, float) / weights.sum(1)).tolist()
    return means
