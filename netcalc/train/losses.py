"""Loss functions, each with its gradient; the formulas and defaults are PyTorch's.

    loss = CrossEntropy(label_smoothing=0.1)
    value, gradient = loss(outputs, targets)

`outputs` have the batch in front and `value` is a mean over all of it, so that the gradient of a larger batch
is no larger. Class scores have their classes on the last axis of N,C and of sequences N,T,C, and on axis 1
of maps N,C,H,W and volumes N,C,D,H,W; labels have the same shape without that axis.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netcalc.backend.kernels.base import Array
from netcalc.layers.options import Flag, Integer, Maybe, Number
from netcalc.train.class_axis import along, class_axis
from netcalc.train.configurable import Numbers, positive
from netcalc.train.loss import LossFunction, LossTerms
from netcalc.train.softmax import softmax_cross_entropy

__all__ = [
    "L1",
    "LOSSES",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Hinge",
    "Huber",
    "LossFunction",
    "MeanSquaredError",
    "TotalLoss",
    "TotalLossResult",
    "class_axis",
]  # fmt: skip


class _OfClasses(LossFunction):
    """A loss of class scores, whose targets are whole numbers from 0 to below the number of classes."""

    of_classes = of_scores = True
    weights: Any = None

    def counts(self, targets: Array) -> bool:
        return (self.ignored is None and self.weights is None) or self.weight_of(targets) > 0

    def weight_of(self, targets: Array) -> float:
        counted = targets if self.ignored is None else targets[targets != self.ignored]
        weights = (1.0,) if self.weights is None else self.weights
        return float(np.take(weights, counted.astype(int), mode="clip").sum())

    def checked(self, shape: tuple[int, ...], targets: npt.ArrayLike) -> Array:
        labels = np.asarray(targets)
        axis = class_axis(len(shape))
        if len(shape) < 2 or 0 in shape or labels.shape != shape[:axis] + shape[axis + 1 :]:
            raise ValueError(
                f"{self.name} takes scores N,C or N,T,C or N,C,H,W and labels of that shape without the "
                f"classes C, not {shape} and {labels.shape}"
            )
        if labels.dtype.kind not in "iu":
            raise ValueError(f"labels are whole numbers, not {labels.dtype}")
        counted = labels if self.ignored is None else labels[labels != self.ignored]
        if counted.size and (counted.min() < 0 or counted.max() >= shape[axis]):
            raise ValueError(f"labels are 0 to {shape[axis] - 1}, not {counted.min()} to {counted.max()}")
        return labels


class CrossEntropy(_OfClasses):
    """Softmax cross-entropy of scores z: the mean of -log p[label], p = softmax(z).

    With weights w, smoothing s and K classes the target of a label y is the distribution
    q[k] = (1 - s) w[y] [k = y] + s w[k] / K, and the loss is the sum of -q log p over all labels, divided
    by the sum of w[y]. Its gradient is (p sum(q) - q) / sum of w[y]. As PyTorch's CrossEntropyLoss;
    smoothing of Szegedy et al. 2016.
    """

    name = "cross_entropy"

    label_smoothing = Number(0.0, at_least=0, at_most=1, doc="part of the target spread over all classes",
                             torch="label_smoothing")  # fmt: skip
    weights = Maybe(Numbers(doc="a weight for each class", torch="weight"))
    ignored = Maybe(Integer(at_least=None, doc="the label of what does not count", torch="ignore_index"))

    def checked(self, shape: tuple[int, ...], targets: npt.ArrayLike) -> Array:
        labels = super().checked(shape, targets)
        classes = shape[class_axis(len(shape))]
        if self.weights is not None and len(self.weights) != classes:
            raise ValueError(f"{self.name} has {len(self.weights)} weights for {classes} classes")
        return labels

    def compute(self, outputs: Array, targets: Array) -> LossTerms:
        scores, labels = outputs, targets
        if class_axis(outputs.ndim) == 2:  # sequences N,T,C are one batch of all their positions
            scores, labels = outputs.reshape(-1, outputs.shape[2]), targets.reshape(-1)
        classes, dtype = scores.shape[1], scores.dtype
        labels = np.expand_dims(labels, 1)
        counts = np.ones(labels.shape, bool) if self.ignored is None else labels != self.ignored
        labels = np.where(counts, labels, 0)
        weights = np.ones(classes, dtype) if self.weights is None else np.array(self.weights, dtype)
        each = weights[labels] * counts
        total = each.sum()
        if total == 0:
            return LossTerms(np.zeros_like(each), 0.0, np.zeros_like(outputs))
        own, spread = each, None
        if self.label_smoothing:
            own = (1 - self.label_smoothing) * each
            spread = self.label_smoothing / classes * along(weights, 1, scores.ndim)
        losses, gradient = softmax_cross_entropy(scores, labels, own, spread, counts, total)
        losses[~counts] = 0  # also where the outputs of what does not count are not finite
        if scores is not outputs:
            losses = losses.reshape(*targets.shape, 1)
        return LossTerms(losses, total, gradient.reshape(outputs.shape))


class Hinge(_OfClasses):
    """The multiclass support vector machine: the mean of sum over k != y of max(0, margin + z[k] - z[y]) / C.

    As PyTorch's MultiMarginLoss (Crammer and Singer 2001). `average: false` leaves out the division by the
    number of classes C, as the lectures do.
    """

    name = "hinge"

    margin = Number(1.0, above=0, doc="how far the label's score is to be above the others", torch="margin")
    squared = Flag(False, doc="square each class's part", torch="p = 2")
    average = Flag(True, doc="divide by the number of classes")

    def compute(self, outputs: Array, targets: Array) -> LossTerms:
        axis = class_axis(outputs.ndim)
        labels = np.expand_dims(targets, axis)
        excess = outputs - np.take_along_axis(outputs, labels, axis) + self.margin
        np.put_along_axis(excess, labels, 0, axis)
        np.maximum(excess, 0, out=excess)
        count = targets.size * (outputs.shape[axis] if self.average else 1)
        losses = excess**2 if self.squared else excess
        gradient = 2 * excess if self.squared else (excess > 0).astype(outputs.dtype)
        np.put_along_axis(gradient, labels, -gradient.sum(axis, keepdims=True), axis)
        return LossTerms(losses, count, gradient / count)


class _OfValues(LossFunction):
    """A loss of each element and its target, and the mean of them."""

    def checked(self, shape: tuple[int, ...], targets: npt.ArrayLike) -> Array:
        values = np.asarray(targets)
        if values.shape != shape or not values.size:
            raise ValueError(f"{self.name} takes targets of the outputs' shape {shape}, not {values.shape}")
        if values.dtype.kind not in "fiub":
            raise ValueError(f"targets are numbers, not {values.dtype}")
        if not np.isfinite(values).all():
            raise ValueError("a target is NaN or infinite")
        return values

    def compute(self, outputs: Array, targets: Array) -> LossTerms:
        losses, slopes = self.elements(outputs, targets.astype(outputs.dtype, copy=False))
        return LossTerms(losses, outputs.size, slopes / outputs.size)

    def elements(self, y: Array, t: Array) -> tuple[Array, Array]:
        """The loss of each element and its derivative by y."""
        raise NotImplementedError


class MeanSquaredError(_OfValues):
    """The mean of (y - t)^2. As PyTorch's MSELoss."""

    name = "mse"

    def elements(self, y: Array, t: Array) -> tuple[Array, Array]:
        error = y - t
        return error**2, 2 * error


class L1(_OfValues):
    """The mean of |y - t|; its derivative where y = t is 0. As PyTorch's L1Loss."""

    name = "l1"

    def elements(self, y: Array, t: Array) -> tuple[Array, Array]:
        error = y - t
        return np.abs(error), np.sign(error)


class Huber(_OfValues):
    """The mean of e^2 / 2 where |e| <= delta and of delta (|e| - delta / 2) beyond, e = y - t (Huber 1964).

    As PyTorch's HuberLoss.
    """

    name = "huber"

    delta = Number(1.0, above=0, doc="the error beyond which the loss is linear", torch="delta")

    def elements(self, y: Array, t: Array) -> tuple[Array, Array]:
        error = y - t
        slope = np.clip(error, -self.delta, self.delta)
        return slope * (error - slope / 2), slope


class BinaryCrossEntropy(_OfValues):
    """Sigmoid cross-entropy of scores z with targets t from 0 to 1, which need not add up to 1.

    The mean of -w t log p - (1 - t) log(1 - p), where p = sigmoid(z) and w is the weight of what is positive.
    As PyTorch's BCEWithLogitsLoss.
    """

    name = "bce"
    of_scores = True

    positive_weight = Number(1.0, above=0, doc="the weight of positive targets", torch="pos_weight")

    def checked(self, shape: tuple[int, ...], targets: npt.ArrayLike) -> Array:
        values = super().checked(shape, targets)
        if values.min() < 0 or values.max() > 1:
            raise ValueError(f"targets are 0 to 1, not {values.min():g} to {values.max():g}")
        return values

    def elements(self, y: Array, t: Array) -> tuple[Array, Array]:
        small = np.exp(-np.abs(y))  # of at most 1
        logarithm = np.log1p(small) + np.maximum(-y, 0)  # -log sigmoid(y)
        probability = np.where(y >= 0, 1, small) / (1 + small)
        positive, negative = self.positive_weight * t, 1 - t
        return positive * logarithm + negative * (logarithm + y), (
            negative * probability - positive * (1 - probability)
        )


LOSSES: dict[str, type[LossFunction]] = {
    loss.name: loss for loss in (CrossEntropy, MeanSquaredError, L1, Huber, Hinge, BinaryCrossEntropy)
}
"""Every loss by its name."""


class TotalLossResult(NamedTuple):
    """The weighted sum of several losses, and its parts by the names of the outputs."""

    value: float
    gradients: dict[str, Array]
    """Of each output, as `TrainingStep.backward` takes them."""
    losses: dict[str, float]
    """Without the weights."""


class TotalLoss:
    """The weighted sum of losses of several outputs, such as GoogLeNet's auxiliary heads.

        >>> loss = TotalLoss({"head": (CrossEntropy(), 1.0), "aux1": (CrossEntropy(), 0.3)})
        >>> value, gradients, _ = loss(step.forward(x), labels)

    Raises ValueError for a weight that is not a number above 0, and where there is no loss.
    """

    def __init__(self, terms: Mapping[str, tuple[LossFunction, float]]) -> None:
        if not terms:
            raise ValueError("a total loss needs the loss of an output at least")
        self.terms = {
            name: (loss, positive(weight, f"the weight of {name}'s loss"))
            for name, (loss, weight) in terms.items()
        }

    def counts(self, *targets: Array | None) -> bool:
        """Whether any of the targets of a batch counts; a mixture has two of each sample."""
        losses = [loss for loss, _ in self.terms.values()]
        return any(loss.counts(given) for given in targets if given is not None for loss in losses)

    def __call__(
        self,
        outputs: Mapping[str, Array],
        targets: npt.ArrayLike | Mapping[str, npt.ArrayLike],
        shares: Array | None = None,
    ) -> TotalLossResult:
        """The loss of outputs by name, and of targets by the same names or of one for all of them.

        `shares` are what each sample counts, as a loss takes them. Raises ValueError where an output or
        its targets are missing or do not fit; the message names it.
        """
        losses, gradients = {}, {}
        for name, (loss, weight) in self.terms.items():
            for what, given in (("output", outputs), ("targets", targets)):
                if isinstance(given, Mapping) and name not in given:
                    raise ValueError(f"there is no {what} {name!r}, but {', '.join(given)}")
            own = targets[name] if isinstance(targets, Mapping) else targets
            try:
                losses[name], gradient = loss(outputs[name], own, shares)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            gradients[name] = gradient * weight
        value = sum(weight * losses[name] for name, (_, weight) in self.terms.items())
        return TotalLossResult(value, gradients, losses)
