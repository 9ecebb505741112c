"""Schedules of the learning rate: functions from the number of a step, from 0, to a factor of it.

    schedule = Cosine(epochs=30, steps_per_epoch=500, warmup=5)
    optimiser.step(gradients, factor=schedule(number))

Options are in epochs; with `steps_per_epoch` left at 1 an epoch is a step. The values are those of PyTorch's
schedulers where they are told of every step. After the last step the factor stays.
"""

from bisect import bisect_right
from collections.abc import Mapping
from math import cos, pi
from typing import Any

from netcalc.layers.options import Choice, Maybe, Number
from netcalc.train.configurable import Configurable, Numbers, OptionError, positive


class Schedule(Configurable):
    """The factor of the learning rate at each step of a training of some epochs.

    At first it grows linearly, f = warmup_start + (1 - warmup_start) t / warmup, as PyTorch's LinearLR.
    What follows counts its steps from there, as in PyTorch's SequentialLR.

    Raises OptionError for options, and ValueError unless there are epochs and steps.
    """

    warmup = Number(0.0, at_least=0, doc="epochs in which the factor grows to 1 (Goyal et al. 2017)",
                    torch="total_iters")  # fmt: skip
    warmup_start = Number(0.01, above=0, at_most=1, doc="the factor of the first step of the warm-up",
                          torch="start_factor")  # fmt: skip

    @classmethod
    def parsed(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        values = super().parsed(given)
        if "warmup_start" in given and not values["warmup"]:
            message = f"{cls.name}: warmup_start is about a warm-up, and there is none"
            raise OptionError(message, "warmup_start", "write warmup: 5")
        return values

    def __init__(self, epochs: float, steps_per_epoch: int = 1, **given: Any) -> None:
        super().__init__(**given)
        positive(epochs, "the number of epochs")
        positive(steps_per_epoch, "the number of steps an epoch")
        self.steps_per_epoch = steps_per_epoch
        self.steps = max(1, self._steps_of(epochs))
        """All of them."""
        self.warmup_steps = self._steps_of(self.warmup)
        if self.warmup_steps >= self.steps:
            message = f"{self.name}: warmup={self.warmup:g} leaves nothing of {epochs:g} epochs"
            raise OptionError(message, "warmup")

    def __call__(self, step: int) -> float:
        """The factor of the learning rate at a step; raises ValueError for one below 0."""
        if step < 0:
            raise ValueError(f"steps are counted from 0, not {step}")
        if step < self.warmup_steps:
            return self.warmup_start + (1 - self.warmup_start) * step / self.warmup_steps
        return self.after_warmup(min(step, self.steps) - self.warmup_steps, self.steps - self.warmup_steps)

    def after_warmup(self, step: int, steps: int) -> float:
        """The factor at a step from 0 to `steps`."""
        raise NotImplementedError

    def _steps_of(self, epochs: float) -> int:
        return round(epochs * self.steps_per_epoch)


class Constant(Schedule):
    """f = 1."""

    name = "constant"

    def after_warmup(self, step: int, steps: int) -> float:
        return 1.0


class StepDecay(Schedule):
    """f = decay^n, where n counts the drops so far: one `every` so many epochs, or one `at` each of a list.

    As PyTorch's StepLR and MultiStepLR.
    """

    name = "step"

    decay = Number(0.1, above=0, at_most=1, doc="what the factor is multiplied by at a drop", torch="gamma")
    every = Maybe(Number(above=0, doc="epochs from one drop to the next", torch="step_size"))
    at = Maybe(Numbers(doc="the epochs of the drops", torch="milestones"))

    @classmethod
    def parsed(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        values = super().parsed(given)
        if (values["every"] is None) == (values["at"] is None):
            both = "both" if values["at"] else "none"
            message = f"step takes one of every and at, and has {both}"
            raise OptionError(message, "every", "write every: 30, or at: [30, 60, 90]")
        return values

    def after_warmup(self, step: int, steps: int) -> float:
        if self.every is not None:
            return float(self.decay ** (step // max(1, self._steps_of(self.every))))
        return float(self.decay ** bisect_right(sorted(map(self._steps_of, self.at or ())), step))


class Cosine(Schedule):
    """f = final + (1 - final) (1 + cos(pi t / T)) / 2 (Loshchilov and Hutter 2017).

    T counts the steps after the warm-up. As PyTorch's CosineAnnealingLR.
    """

    name = "cosine"

    final = Number(0.0, at_least=0, at_most=1, doc="the factor after the last step", torch="eta_min / lr")

    def after_warmup(self, step: int, steps: int) -> float:
        return self.final + (1 - self.final) * (1 + cos(pi * step / steps)) / 2


class OneCycle(Schedule):
    """From `start` up to 1, then down to `final`, as half a wave each or straight (Smith and Topin 2019).

    As PyTorch's OneCycleLR with two phases and `cycle_momentum=False`: the learning rate is the highest of
    the cycle. The rise ends one step before `rise` of all steps, and the fall with the last.
    """

    name = "one_cycle"

    warmup = 0.0
    warmup_start = 1.0
    rise = Number(0.3, above=0, at_most=1, doc="part of the steps in which it rises", torch="pct_start")
    shape = Choice("cosine", "linear", doc="how it rises and falls", torch="anneal_strategy")
    start = Number(0.04, above=0, at_most=1, doc="the factor of the first step", torch="1 / div_factor")
    final = Number(4e-6, above=0, at_most=1, doc="the factor of the last step",
                   torch="1 / (div_factor * final_div_factor)")  # fmt: skip

    def after_warmup(self, step: int, steps: int) -> float:
        top, last = self.rise * steps - 1, steps - 1
        if step <= top:
            return self._between(self.start, 1.0, step / top if top else 1.0)
        return self._between(1.0, self.final, min(1.0, (step - top) / (last - top)) if last > top else 1.0)

    def _between(self, first: float, second: float, part: float) -> float:
        return second + (first - second) * ((1 + cos(pi * part)) / 2 if self.shape == "cosine" else 1 - part)


SCHEDULES: dict[str, type[Schedule]] = {
    schedule.name: schedule for schedule in (Constant, StepDecay, Cosine, OneCycle)
}
"""Every schedule by its name."""
