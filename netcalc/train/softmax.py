"""Softmax cross-entropy and its gradient, some samples at a time, so that they stay in the cache."""

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.train.parallel import in_parallel, workers_for

TILE = 1 << 15
"""Scores that are worked on at a time."""


def softmax_cross_entropy(
    scores: Array, labels: Array, own: Array, spread: Array | None, counts: Array, total: float
) -> tuple[Array, Array]:
    """The loss of each label, and the gradient of their sum divided by `total`.

    The scores have their classes on axis 1, where `labels`, `own` and `counts` have one element. The target q
    is `own` at the label, and where the label counts `spread` of each class is added.
    """
    whole = own if spread is None else own + counts * spread.sum()  # the sum of q
    largest, sums, dots = np.zeros((3, *labels.shape), scores.dtype)
    gradient = np.empty_like(scores)

    def compute(_: int, part: slice) -> None:
        np.max(scores[part], 1, keepdims=True, out=largest[part])
        shifted = np.subtract(scores[part], largest[part], out=gradient[part])
        if spread is not None:
            np.sum(spread * shifted, 1, keepdims=True, out=dots[part])
        exponentials = np.exp(shifted, out=shifted)
        np.sum(exponentials, 1, keepdims=True, out=sums[part])
        exponentials *= whole[part] / (sums[part] * total)
        if spread is not None:
            exponentials -= spread * counts[part] / total

    step = max(1, TILE * len(scores) // scores.size)
    parts = [slice(first, first + step) for first in range(0, len(scores), step)]
    in_parallel(compute, parts, workers_for(scores.size))
    at_labels = np.take_along_axis(gradient, labels, 1) - own / total
    np.put_along_axis(gradient, labels, at_labels, 1)
    shifted = np.take_along_axis(scores, labels, 1) - largest
    return whole * np.log(sums) - own * shifted - dots, gradient
