"""The losses against their definition, finite differences, and what does not fit."""

import numpy as np
import pytest

from netcalc.backend.losses import cross_entropy

LOGITS = np.random.default_rng(0).normal(0, 3, (5, 7))
LABELS = np.array([0, 6, 3, 3, 1])


def test_cross_entropy_is_the_mean_of_the_labels_negative_logarithms() -> None:
    probabilities = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    loss, _ = cross_entropy(LOGITS, LABELS)
    assert loss == pytest.approx(-np.log(probabilities[np.arange(5), LABELS]).mean(), rel=1e-14)


def test_its_gradient_is_the_finite_difference() -> None:
    _, gradient = cross_entropy(LOGITS, LABELS)
    for index in np.ndindex(LOGITS.shape):
        step = np.zeros_like(LOGITS)
        step[index] = 1e-5
        slope = (cross_entropy(LOGITS + step, LABELS)[0] - cross_entropy(LOGITS - step, LABELS)[0]) / 2e-5
        assert gradient[index] == pytest.approx(slope, abs=1e-9)


def test_large_logits_neither_overflow_nor_lose_the_loss() -> None:
    loss, gradient = cross_entropy(np.array([[1e4, 0.0], [-1e4, 1e4]], np.float32), [1, 1])
    assert loss == pytest.approx(5e3)
    np.testing.assert_array_equal(gradient, np.array([[0.5, -0.5], [0, 0]], np.float32))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_gradient_has_the_dtype_of_the_logits(dtype: str) -> None:
    assert cross_entropy(LOGITS.astype(dtype), LABELS)[1].dtype == dtype


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (LOGITS, LABELS[:4], r"not \(5, 7\) and \(4,\)"),
        (LOGITS[0], LABELS, "logits N,K"),
        (LOGITS[:0], LABELS[:0], "logits N,K"),
        (LOGITS, LABELS + 1, "labels are 0 to 6, not 1 to 7"),
        (LOGITS, LABELS - 1, "labels are 0 to 6, not -1 to 5"),
        (LOGITS, LABELS / 2, "whole numbers, not float64"),
    ],
)
def test_what_does_not_fit_is_refused(logits: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cross_entropy(logits, labels)
