"""The classes with the highest scores."""

import numpy as np

from netcalc.backend.kernels.base import Array


def best_classes(scores: Array, count: int, are_probabilities: bool) -> list[list[tuple[int, float]]]:
    """The `count` best classes of each sample as (index, probability), the best first.

    `scores` are (samples, classes): probabilities, or logits that a softmax turns into them. Equal
    probabilities keep the order of the classes.
    """
    exact = scores.astype(np.float64)
    if not are_probabilities:
        with np.errstate(invalid="ignore"):  # of infinite scores
            exact = np.exp(exact - exact.max(axis=1, keepdims=True))
            exact /= exact.sum(axis=1, keepdims=True)
    order = np.argsort(-exact, axis=1, kind="stable")[:, :count]
    return [[(int(k), float(row[k])) for k in best] for row, best in zip(exact, order, strict=True)]
