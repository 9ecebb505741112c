"""Training on one batch until its loss is near zero: whether network, loss and loop can learn at all.

A network with more parameters than a batch has labels can learn them by heart. Where it cannot, labels do
not belong to samples, layers are dead or cut off, or the learning rate is far off.
"""

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.layers.regularisation import Regularisation
from netcalc.train.class_axis import along, class_axis
from netcalc.train.data import Batch
from netcalc.train.loop import Training
from netcalc.train.losses import CrossEntropy
from netcalc.train.monitoring import Monitor
from netcalc.train.monitoring.first_loss import uninformed_loss
from netcalc.train.records import StepRecord, TrainingWarning
from netcalc.train.trial import taken_back

STEPS = 1000
"""The most steps that are taken."""

NEAR = 0.01
"""The part of the first loss, or of that of equal scores, which is near zero."""


class Overfitting(NamedTuple):
    """How the training on one batch went."""

    reached: bool
    records: tuple[StepRecord, ...]
    target: float
    """The loss that is near the least one."""
    least: float
    """The lowest loss that there is: 0, or above it with label smoothing."""
    warnings: tuple[TrainingWarning, ...]
    drops: bool
    """Whether layers drop at random, which keeps a loss above zero."""


def overfit(
    training: Training, *, steps: int = STEPS, done: Callable[[StepRecord], None] = lambda record: None
) -> Overfitting:
    """Train on one batch at the full learning rate; the training is afterwards where it was.

    `done` is told of each step. The batch is the first with a label that counts, as the recipe makes it, so
    leave augmentation out.
    """
    batch = next(each for each in training.batches.epoch(0) if training.loss.counts(each.labels, each.others))
    graph = training.network.graph
    least = least_loss(training, batch)
    expected = uninformed_loss(graph, training.loss)
    monitor = Monitor(training.network, training.loss, stagnation=False)
    records: list[StepRecord] = []
    warnings: list[TrainingWarning] = []
    target = least
    with taken_back(training):
        for _ in range(steps):
            record, gradients = training.update([batch], factor=1.0)
            if not records:
                start = min(record.loss, expected.value) if expected else record.loss
                target = least + NEAR * max(0.0, start - least)
            records.append(record)
            done(record)
            warnings += monitor.after_step(record, gradients)
            if not isfinite(record.loss) or record.loss <= target:
                break
    reached = bool(records) and records[-1].loss <= target
    drops = any(isinstance(node.layer, Regularisation) and node.layer.rate > 0 for node in graph.nodes)
    return Overfitting(reached, tuple(records), target, least, tuple(warnings), drops)


def least_loss(training: Training, batch: Batch) -> float:
    """The lowest value of the loss on a batch: with smoothed labels it is their entropy, else taken as 0."""
    total = 0.0
    for name, (loss, weight) in training.loss.terms.items():
        if isinstance(loss, CrossEntropy) and loss.label_smoothing:
            shape = (len(batch.labels), *training.network.graph.types[name].shape)
            total += weight * loss(_scores(loss, shape, batch.labels), batch.labels)[0]
    return total if isfinite(total) else 0.0


def _scores(loss: CrossEntropy, shape: tuple[int, ...], labels: Array) -> Array:
    """The scores whose softmax is the smoothed target."""
    axis = class_axis(len(shape))
    classes, smoothing = shape[axis], loss.label_smoothing
    weights = np.ones(classes) if loss.weights is None else np.array(loss.weights)
    places = along(np.arange(classes), axis, len(shape))
    own = (np.expand_dims(labels, axis) == places) * (1 - smoothing) * along(weights, axis, len(shape))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(own + smoothing * along(weights, axis, len(shape)) / classes))
