"""The classes with the highest scores."""

import numpy as np
import pytest

from netcalc.backend.ranking import best_classes


def test_logits_go_through_a_softmax() -> None:
    logits = np.log(np.array([[1, 3, 4], [6, 1, 1]], np.float32))
    best = best_classes(logits, 2, are_probabilities=False)
    assert [[index for index, _ in sample] for sample in best] == [[2, 1], [0, 1]]
    assert [probability for sample in best for _, probability in sample] == pytest.approx(
        [0.5, 0.375, 0.75, 0.125], rel=1e-6
    )


def test_probabilities_stay_as_they_are() -> None:
    assert best_classes(np.array([[0.25, 0.5, 0.25]]), 5, are_probabilities=True) == [
        [(1, 0.5), (0, 0.25), (2, 0.25)]
    ]


def test_large_logits_do_not_overflow() -> None:
    ((first, second),) = best_classes(np.array([[1e30, -1e30]], np.float32), 2, are_probabilities=False)
    assert (first, second) == ((0, 1.0), (1, 0.0))


def test_infinite_scores_give_nan_without_a_warning() -> None:
    ((_, probability), _) = best_classes(np.array([[np.inf, np.inf]]), 2, are_probabilities=False)[0]
    assert np.isnan(probability)
