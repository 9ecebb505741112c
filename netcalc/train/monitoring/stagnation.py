"""Losses that do not fall at all."""

from collections.abc import Iterator, Mapping
from math import sqrt

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.train.monitoring.check import TrainingCheck
from netcalc.train.records import EpochRecord, StepRecord, TrainingWarning

STEPS, EPOCHS, LEAST = 200, 5, 20
"""It is decided once: after so many steps, or so many epochs of fewer steps, `LEAST` at least."""

_DEVIATIONS = 2.0
"""A difference of two means is chance unless it is more than this many of its standard deviations."""


class Stagnation(TrainingCheck):
    """Compares the first quarter of the losses with the last one, once; not where a training goes on."""

    says = ("the loss does not fall",)
    kept = ("_losses", "_epochs", "_decided")

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._epochs = 0
        self._decided = False

    def after_step(self, record: StepRecord, gradients: Mapping[str, Array]) -> Iterator[TrainingWarning]:
        if not self._losses and record.step > 1:
            self._decided = True
        if self._decided:
            return
        self._losses.append(record.loss)
        if len(self._losses) == STEPS:
            yield from self._decide(record.step)

    def after_epoch(self, record: EpochRecord) -> Iterator[TrainingWarning]:
        self._epochs += 1
        if not self._decided and self._epochs >= EPOCHS and len(self._losses) >= LEAST:
            yield from self._decide(record.step)

    def _decide(self, step: int) -> Iterator[TrainingWarning]:
        self._decided = True
        losses = np.array(self._losses)
        if not np.isfinite(losses).all() or has_fallen(losses):
            return
        last = losses[-len(losses) // 4 :].mean()
        yield TrainingWarning(
            step,
            f"the loss does not fall: {self._losses[0]:.4g} at first, {last:.4g} after {len(losses):,} steps",
            help="train on one batch first (--overfit-batch), and look for a learning rate (--lr-find)",
        )


def has_fallen(losses: Array) -> bool:
    """Whether the last quarter of some losses is below the first quarter, or below the very first loss."""
    quarter = len(losses) // 4
    first, last = losses[:quarter], losses[-quarter:]
    spread = sqrt((first.var() + last.var()) / quarter)
    fallen = first.mean() - last.mean() > _DEVIATIONS * spread
    return bool(fallen or losses[0] - last.mean() > _DEVIATIONS * last.std())
