"""What happens to gradients between backward and the optimiser: accumulation and clipping."""

from collections.abc import Mapping
from math import isfinite, sqrt

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.train.configurable import positive

_EPS = 1e-6
"""Added to the norm that gradients are divided by, as PyTorch does."""


class GradientAccumulator:
    """The mean of the gradients of several batches, as one batch of all their samples would give.

        >>> accumulator.add(step.backward(dy).params)
        >>> if accumulator.batches == 4:
        ...     optimiser.step(accumulator.mean())

    Equal for losses that are means over samples, in networks without statistics of the batch. Its arrays are
    allocated by the first `add`.
    """

    def __init__(self) -> None:
        self.batches = 0
        """How many were added since the last mean."""
        self._weight = 0.0
        self._sums: dict[str, Array] = {}

    def add(self, gradients: Mapping[str, Array], weight: float = 1.0) -> None:
        """Add the gradients of a batch; `weight` is its number of samples where batches differ in it.

        Raises ValueError for a weight that is not a number above 0, and other parameters than before.
        """
        weight = positive(weight, "the weight of a batch")
        if self._sums:
            require_gradients(gradients, {name: total.shape for name, total in self._sums.items()})
        for name, gradient in gradients.items():
            if not self.batches:
                np.multiply(gradient, weight, out=self._sums.setdefault(name, np.empty_like(gradient)))
            elif weight == 1:
                self._sums[name] += gradient
            else:
                self._sums[name] += weight * gradient
        self.batches += 1
        self._weight += weight

    def mean(self) -> dict[str, Array]:
        """The mean since the last call, overwritten by the next `add`; raises ValueError if there is none."""
        if not self.batches:
            raise ValueError("no gradients were added")
        for total in self._sums.values():
            total /= self._weight
        self.batches, self._weight = 0, 0.0
        return dict(self._sums)


def clip_norm(gradients: Mapping[str, Array], most: float) -> float:
    """Scale all gradients in place so that their norm together is at most `most`; returns what it was.

    g *= min(1, most / (norm + 1e-6)), as PyTorch's clip_grad_norm_ (Pascanu, Mikolov and Bengio 2013). Where
    it is not finite the gradients stay as they are. Raises ValueError unless `most` is a number above 0.
    """
    most = positive(most, "the largest norm")
    norm = global_norm(gradients)
    factor = most / (norm + _EPS)
    if isfinite(norm) and factor < 1:
        for gradient in gradients.values():
            gradient *= factor
    return norm


def clip_value(gradients: Mapping[str, Array], most: float) -> None:
    """Limit each element of the gradients, in place, to -most and most, as PyTorch's clip_grad_value_.

    Raises ValueError unless `most` is a number above 0.
    """
    most = positive(most, "the largest value")
    for gradient in gradients.values():
        np.clip(gradient, -most, most, out=gradient)


def global_norm(gradients: Mapping[str, Array]) -> float:
    """The square root of the sum of all squares."""
    with np.errstate(all="ignore"):
        squares = sum(float(np.vdot(gradient, gradient)) for gradient in gradients.values())
        if not isfinite(squares):  # float32 cannot hold the squares of numbers beyond 1e19
            wide = (gradient.astype(np.float64) for gradient in gradients.values())
            squares = sum(float(np.vdot(gradient, gradient)) for gradient in wide)
    return sqrt(squares)


def require_gradients(gradients: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError unless there is a gradient of the right shape for each parameter, and no other."""
    if gradients.keys() != shapes.keys():
        missing = sorted(shapes.keys() - gradients.keys())
        other = sorted(gradients.keys() - shapes.keys())
        fact = (
            f"no gradient of {missing[0]}" if missing else f"a gradient of {other[0]}, which is not trained"
        )
        raise ValueError(f"there is {fact}")
    for name, shape in shapes.items():
        if gradients[name].shape != shape:
            raise ValueError(f"the gradient of {name} is {gradients[name].shape}, the parameter {shape}")
