"""A training of a few epochs on arrays, which tells an observer of every step and epoch."""

from collections.abc import Iterator
from math import nan
from typing import Any

import numpy as np

from netcalc.backend import Network, TrainingStep
from netcalc.backend.kernels.base import Array
from netcalc.train.gradients import clip_norm, global_norm
from netcalc.train.loss import LossFunction
from netcalc.train.optimiser import Optimiser
from netcalc.train.records import EpochRecord, Observer, StepRecord, TrainingWarning


def digits(size: int = 8) -> tuple[Array, Array]:
    """scikit-learn's digits: 1,797 pictures 1 x size x size, centred, and their labels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    pictures = x.reshape(-1, 1, 8, 8).astype(np.float32) / 16
    if size != 8:
        pictures = pictures.repeat(size // 8 + 1, 2).repeat(size // 8 + 1, 3)[:, :, :size, :size]
    return (pictures - pictures.mean()) / pictures.std(), y


def warnings_of(
    network: Network,
    loss: LossFunction,
    optimiser: Optimiser,
    data: tuple[Array, Array],
    observer: Observer,
    *,
    batch: int = 64,
    epochs: int = 2,
    clip: float | None = None,
    schedule: Any = None,
) -> list[TrainingWarning]:
    """What an observer warns of in a training."""
    return [*_warnings(network, loss, optimiser, data, observer, batch, epochs, clip, schedule)]


def _warnings(
    network: Network,
    loss: LossFunction,
    optimiser: Optimiser,
    data: tuple[Array, Array],
    observer: Observer,
    batch: int,
    epochs: int,
    clip: float | None,
    schedule: Any,
) -> Iterator[TrainingWarning]:
    x, y = data
    number = 0
    with TrainingStep(network, batch=batch, workers=1) as step:
        for epoch in range(epochs):
            order = np.random.default_rng(epoch).permutation(len(x))
            for start in range(0, len(x) - batch + 1, batch):
                chosen = order[start : start + batch]
                scores = next(iter(step.run(x[chosen]).values()))
                value, dy = loss(scores, y[chosen])
                gradients = step.backward(dy).params
                norm = clip_norm(gradients, clip) if clip else global_norm(gradients)
                factor = schedule(number) if schedule else 1.0
                optimiser.step(gradients, factor)
                number += 1
                record = StepRecord(number, epoch, value, None, factor * optimiser.lr, norm, batch, 0.01)
                yield from observer.after_step(record, gradients)
            yield from observer.after_epoch(EpochRecord(epoch, number, nan, None, None, None, 0.1, 1.0))
