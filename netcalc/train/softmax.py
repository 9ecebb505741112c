"""Softmax cross-entropy and its gradient, some samples at a time, so that they stay in the processor's cache."""

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.train.parallel import in_parallel, workers_for

TILE = 1 << 15
"""Scores that are worked on at a time."""


def softmax_cross_entropy(
    scores: Array, labels: Array, own: Array, spread: Array | None, counts: Array, total: float
) -> tuple[Array, Array]:
    """The loss of each label, and the gradient of their sum by total.

    The scores have their classes on axis 1, where `labels`, `own` and `counts` have one element. The target q
    is `own` at the label, and where the label counts `spread` of each class is added.
    """
    losses, gradient = np.empty(labels.shape, scores.dtype), np.empty_like(scores)

    def compute(_: int, part: slice) -> None:
        own_part = own[part]
        shifted = np.subtract(scores[part], scores[part].max(1, keepdims=True), out=gradient[part])
        loss = -own_part * np.take_along_axis(shifted, labels[part], 1)
        if spread is not None:
            loss -= (spread * shifted).sum(1, keepdims=True)
        exponentials = np.exp(shifted, out=shifted)
        sums = exponentials.sum(1, keepdims=True)
        whole = own_part if spread is None else own_part + counts[part] * spread.sum()  # the sum of q
        losses[part] = loss + whole * np.log(sums)
        exponentials *= whole / (sums * total)
        if spread is not None:
            exponentials -= spread * counts[part] / total
        at_labels = np.take_along_axis(exponentials, labels[part], 1) - own_part / total
        np.put_along_axis(exponentials, labels[part], at_labels, 1)

    step = max(1, TILE * len(scores) // scores.size)
    parts = [slice(first, first + step) for first in range(0, len(scores), step)]
    in_parallel(compute, parts, workers_for(scores.size))
    return losses, gradient
