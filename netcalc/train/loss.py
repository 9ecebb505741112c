"""What losses share: checked targets, the mean of the elements' losses, and its gradient."""

from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from netcalc.backend.kernels.base import Array, widened
from netcalc.train.configurable import Configurable


class LossTerms(NamedTuple):
    """The loss of each element before the mean, what the mean divides by, and the gradient of the mean."""

    losses: Array
    total: float
    gradient: Array


class LossFunction(Configurable):
    """A function of a network's output and the targets, of which those that are `ignored` do not count."""

    of_classes: ClassVar[bool] = False  # whether targets are numbers of classes
    of_scores: ClassVar[bool] = False  # whether outputs are scores, which probabilities are computed of
    ignored: Any = None

    def __call__(
        self, outputs: Array, targets: npt.ArrayLike, shares: Array | None = None
    ) -> tuple[float, Array]:
        """The loss, and its gradient in the shape and dtype of the outputs.

        `shares` (N,) are what each sample counts, 1 unless given; a mixture of samples has a share of each.
        Where no target counts, both are 0. Computed in float32 at least. Raises ValueError where the targets
        do not fit; outputs that are not finite give a loss that is not.
        """
        checked = self.checked(outputs.shape, targets)
        with np.errstate(all="ignore"):
            losses, total, gradient = self.compute(widened(outputs), checked)
            if shares is not None:
                each = shares.astype(gradient.dtype).reshape(-1, *[1] * (gradient.ndim - 1))
                losses, gradient = losses * each, gradient * each
            value = float(losses.sum() / total) if total else 0.0
        return value, gradient.astype(outputs.dtype, copy=False)

    def checked(self, shape: tuple[int, ...], targets: npt.ArrayLike) -> Array:
        """The targets as an array; raises ValueError unless they fit outputs of this shape."""
        raise NotImplementedError

    def compute(self, outputs: Array, targets: Array) -> LossTerms:
        """The losses and their gradient for targets that fit."""
        raise NotImplementedError

    def counts(self, targets: Array) -> bool:
        """Whether any target counts."""
        return True

    def weight_of(self, targets: Array) -> float:
        """What the mean over targets is divided by: a loss times its weight is a sum."""
        return targets.size
