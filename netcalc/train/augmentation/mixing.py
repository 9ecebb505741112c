"""Mixup: each sample is mixed with another one, and so are their labels."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.train.augmentation.transform import Transform
from netcalc.train.data.dataset import Batch
from netcalc.train.draws import Draws

_STREAM = 2**32 - 3


@dataclass(frozen=True)
class Mixup(Transform):
    """x = w x1 + (1 - w) x2, and the loss is w that of label 1 and 1 - w that of label 2; w is Beta(alpha,
    alpha).

    The partner is drawn from all samples of the training set, not from the batch, and changed as it would be
    by itself: so a sample is the same in batches of any size. Each sample has its own w.

    Source: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: beyond empirical risk minimization", 2018.
    """

    name: ClassVar[str] = "mixup"
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"alpha": (0.001, 1000)}
    alpha: float = 0.2

    def draw(self, indices: Array, others: Array, seed: int, epoch: int) -> tuple[Array, Array]:
        """The number of each sample's partner, one of `others`, and the weight of the sample: both (N,)."""
        draws = Draws(seed, epoch, indices, _STREAM)
        return others[draws.integers(len(others) - 1)], beta(self.alpha, draws)

    def mixed(self, batch: Batch, partners: Batch, weights: Array) -> Batch:
        """A batch mixed with its partners, in its own arrays."""
        for name, x in batch.inputs.items():
            w = weights.astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
            other = partners.inputs[name]
            x -= other  # x2 + w (x1 - x2)
            x *= w
            x += other
        return batch._replace(others=partners.labels, weights=weights)


def beta(alpha: float, draws: Draws) -> Array:
    """Numbers of Beta(alpha, alpha), one for each sample.

    b of Beta(a + 1, a + 1) is 1/2 + sqrt(1 - u^(2 / (2a + 1))) cos(2 pi v) / 2 (Ulrich, "Computer generation
    of distributions on the m-sphere", 1984). b u1^(1/a) against (1 - b) u2^(1/a) is then as two gamma
    variables of a against each other, whose share is Beta(a, a).
    """
    u, v, u1, u2 = draws.uniform(4)
    half = np.sqrt(1 - u ** (2 / (2 * alpha + 1))) * np.cos(2 * np.pi * v) / 2
    with np.errstate(divide="ignore"):  # of a draw of exactly 0
        odds = np.log(0.5 - half) - np.log(0.5 + half) + (np.log(u2) - np.log(u1)) / alpha
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(odds)))
