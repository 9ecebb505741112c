"""What a confusion matrix says of each class, and which classes are taken for which."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from netcalc.backend.kernels.base import Array


class ClassFigures(NamedTuple):
    """How one class was predicted. Shares are from 0 to 1, and None where there is nothing to divide by."""

    number: int
    labels: int
    """Labels of this class."""
    predicted: int
    """Predictions of this class."""
    correct: int
    """Predictions of this class where it was the label."""
    confused_with: int | None
    """The other class that its labels were most often predicted as."""
    confused: int
    """How often."""

    @property
    def precision(self) -> float | None:
        """The share of its predictions that are correct."""
        return self.correct / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """The share of its labels that are predicted."""
        return self.correct / self.labels if self.labels else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall."""
        both = self.labels + self.predicted
        return 2 * self.correct / both if both else None


class Confused(NamedTuple):
    """How often labels of one class were predicted as another."""

    label: int
    predicted: int
    times: int


def class_figures(confusion: Array) -> list[ClassFigures]:
    """The figures of every class of a matrix with a row a label and a column a prediction."""
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    columns = (
        np.arange(len(confusion)),
        confusion.sum(axis=1),
        confusion.sum(axis=0),
        confusion.diagonal(),
        wrong.argmax(axis=1),
        wrong.max(axis=1),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        ClassFigures(number, labels, predicted, correct, other if count else None, count)
        for number, labels, predicted, correct, other, count in rows
    ]


def most_confused(confusion: Array, count: int) -> Sequence[Confused]:
    """The pairs of label and prediction that were confused most often, the most frequent first."""
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    flat = wrong.ravel()
    best = np.argsort(-flat, kind="stable")[:count]
    classes = len(confusion)
    return [Confused(int(at) // classes, int(at) % classes, int(flat[at])) for at in best if flat[at]]
