"""What is summed over the samples of a step or an epoch: the loss, and how often the label was predicted."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.train.class_axis import class_axis
from netcalc.train.data import Batch
from netcalc.train.losses import TotalLoss, TotalLossResult


@dataclass
class Scores:
    """Sums over samples; a batch in which no label counts is none."""

    samples: int = 0
    loss_sum: float = 0.0
    """The mean loss of each batch times its samples."""
    predicted: float = 0.0
    """The labels that have the highest score; a mixture counts for the share of each of its labels."""
    labels: int = 0
    """The labels that count, 0 where they are no classes."""
    seconds: float = 0.0

    @property
    def loss(self) -> float:
        """The mean over the samples; 0 where there are none."""
        return self.loss_sum / self.samples if self.samples else 0.0

    @property
    def accuracy(self) -> float | None:
        """The share of labels that were predicted, from 0 to 1."""
        return self.predicted / self.labels if self.labels else None

    def add(
        self, loss: TotalLossResult, terms: TotalLoss, outputs: Mapping[str, Array], batch: Batch
    ) -> None:
        """Add a batch; its first output is judged."""
        if not terms.counts(batch.labels, batch.others):
            return
        self.samples += len(batch.labels)
        self.loss_sum += loss.value * len(batch.labels)
        name, (function, _) = next(iter(terms.terms.items()))
        if not function.of_classes:
            return
        found = outputs[name].argmax(class_axis(outputs[name].ndim))
        counts = np.ones(found.shape, bool)
        if function.ignored is not None:
            counts = batch.labels != function.ignored
        self.labels += int(counts.sum())
        right = (found == batch.labels) & counts
        if batch.others is None or batch.weights is None:
            self.predicted += int(right.sum())
        else:
            shares = batch.weights.reshape(-1, *[1] * (found.ndim - 1))
            self.predicted += float(
                (right * shares + ((found == batch.others) & counts) * (1 - shares)).sum()
            )

    def join(self, other: "Scores") -> None:
        """Add the sums of another."""
        self.samples += other.samples
        self.loss_sum += other.loss_sum
        self.predicted += other.predicted
        self.labels += other.labels
        self.seconds += other.seconds
