"""What a training reports: a record of every step and epoch, warnings, and who is told of them."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from netcalc.backend.kernels.base import Array


class StepRecord(NamedTuple):
    """One update of the weights."""

    step: int
    """The updates so far, this one counted: from 1."""
    epoch: int
    """From 0."""
    loss: float
    accuracy: float | None
    """The share of labels that were predicted, from 0 to 1; None where labels are no classes."""
    rate: float
    """The learning rate with the schedule's factor."""
    gradient_norm: float
    """Of all gradients together, before they are clipped."""
    samples: int
    """0 where none of their labels counts; then the loss is 0, and so are the gradients."""
    seconds: float


class EpochRecord(NamedTuple):
    """One pass over the training samples, and the validation after it."""

    epoch: int
    step: int
    """The updates so far."""
    loss: float
    """The mean over the samples, as the weights were at each step."""
    accuracy: float | None
    validation_loss: float | None
    """None where no samples are held back."""
    validation_accuracy: float | None
    rate: float
    """The learning rate of the last step."""
    seconds: float
    """Of the training, validation left out."""


class TrainingWarning(NamedTuple):
    """Something in a run that its user wants to know before it ends."""

    step: int
    message: str
    """What is wrong, with the figures: "units of conv1 are dead: 37 of 64 gave 0 for every sample"."""
    layer: str | None = None
    help: str | None = None
    """What to do about it."""


class Observer:
    """Is told of every step and epoch of a training, and may warn. It changes nothing of the training."""

    def after_step(self, record: StepRecord, gradients: Mapping[str, Array]) -> Iterable[TrainingWarning]:
        """Called after each update with its gradients, which the next step overwrites."""
        return ()

    def after_epoch(self, record: EpochRecord) -> Iterable[TrainingWarning]:
        """Called after each epoch and its validation."""
        return ()

    def warned(self, warning: TrainingWarning) -> None:
        """Called with each warning, of whichever observer."""
