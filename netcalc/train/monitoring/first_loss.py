"""Whether the first loss is that of a network that knows nothing yet.

With random weights the scores have nothing to do with the labels. Where they are equal, the cross entropy is
ln(classes), with label smoothing too: p = 1 / classes everywhere and its targets sum to 1. Where they are
normal with variance v it is ln(classes) + v / 2 at most, by Jensen's inequality. Initialisations that keep
the scale of activations give scores a variance of 1 (LeCun) to 2 (He), so a loss of more than ln(classes) + 1
is that of scores which are too large. Hinge and binary cross entropy are treated alike.
"""

from collections.abc import Callable, Iterator, Mapping
from math import erf, exp, isfinite, log, log1p, pi, sqrt
from typing import Any, NamedTuple

from netcalc.backend.kernels.base import Array
from netcalc.graph import Graph
from netcalc.train.class_axis import class_count
from netcalc.train.loss import LossFunction
from netcalc.train.losses import BinaryCrossEntropy, CrossEntropy, Hinge, TotalLoss
from netcalc.train.monitoring.check import TrainingCheck
from netcalc.train.records import StepRecord, TrainingWarning

_VARIANCE = 2.0
"""The largest variance of scores under an initialisation that keeps the scale: He's."""

_NOISE = 4.0
"""The mean over n samples may differ by this over sqrt(n), of what the variance makes: 3 deviations of
single losses, which scatter by sqrt(2) for cross entropy."""


class UninformedLoss(NamedTuple):
    """The loss of scores that have nothing to do with the targets."""

    value: float
    """Where all scores are equal."""
    most: float
    """Where they are random with a variance of 2: the mean is no more."""
    formula: str = ""

    def near(self, loss: float, samples: int) -> bool:
        """Whether a loss of so many samples may be one."""
        room = self.most - self.value
        noise = _NOISE / sqrt(samples)
        return self.value - noise * room <= loss <= self.value + (1 + noise) * room

    def __str__(self) -> str:
        return f"{self.formula} = {self.value:.4g}" if self.formula else f"{self.value:.4g}"


def uninformed_loss(graph: Graph, loss: LossFunction | TotalLoss) -> UninformedLoss | None:
    """What a loss of a network's outputs begins with; None where no value is known."""
    if not isinstance(loss, TotalLoss):
        return _of_output(graph, loss, graph.outputs[0]) if len(graph.outputs) == 1 else None
    parts = [(_of_output(graph, own, name), weight) for name, (own, weight) in loss.terms.items()]
    known = [(part, weight) for part, weight in parts if part is not None]
    if len(known) < len(parts):
        return None
    if len(known) == 1 and known[0][1] == 1:
        return known[0][0]
    return UninformedLoss(
        sum(weight * part.value for part, weight in known), sum(weight * part.most for part, weight in known)
    )


class FirstLoss(TrainingCheck):
    """Compares the loss of the first step with that of equal scores."""

    says = ("the first loss is",)

    def __init__(self, graph: Graph, loss: LossFunction | TotalLoss) -> None:
        self._expected = uninformed_loss(graph, loss)

    def after_step(self, record: StepRecord, gradients: Mapping[str, Array]) -> Iterator[TrainingWarning]:
        expected = self._expected
        if expected is None or record.step != 1 or not isfinite(record.loss):
            return
        if expected.near(record.loss, record.samples):
            return
        known = f"the first loss is {record.loss:.4g}; equal scores of all classes give {expected}"
        if record.loss > expected.value:
            help = (
                "the scores begin too large: scale the inputs, or draw the last layer smaller; "
                "`netcalc init SPEC` shows the scale layer by layer"
            )
        else:
            help = "the network knows the labels before it has learned: look for them in the inputs"
        yield TrainingWarning(record.step, known, help=help)


def _of_output(graph: Graph, loss: LossFunction, output: str) -> UninformedLoss | None:
    find = _KNOWN.get(type(loss))
    if find is None or output not in graph.types:
        return None
    return find(loss, class_count(graph.types[output].shape))


def _cross_entropy(loss: CrossEntropy, classes: int) -> UninformedLoss | None:
    """Weights of classes weigh the mean, but for smoothing, which depends on how often each class is."""
    if loss.weights is not None and loss.label_smoothing:
        return None
    return UninformedLoss(log(classes), log(classes) + _VARIANCE / 2, f"ln({classes:,})")


def _hinge(loss: Hinge, classes: int) -> UninformedLoss:
    """Of each other class margin, or its square; a difference of two scores has twice their variance."""
    margin, deviation = loss.margin, sqrt(2 * _VARIANCE)
    above = (1 + erf(margin / deviation / sqrt(2))) / 2
    density = exp(-((margin / deviation) ** 2) / 2) / sqrt(2 * pi)
    count = (classes - 1) / (classes if loss.average else 1)
    if loss.squared:
        most = (margin**2 + deviation**2) * above + margin * deviation * density
        return UninformedLoss(count * margin**2, count * most)
    return UninformedLoss(count * margin, count * (margin * above + deviation * density))


def _binary(loss: BinaryCrossEntropy, _: int) -> UninformedLoss | None:
    if loss.positive_weight != 1:
        return None
    return UninformedLoss(log(2), log1p(exp(_VARIANCE / 2)), "ln(2)")


_KNOWN: dict[type[LossFunction], Callable[[Any, int], UninformedLoss | None]] = {
    CrossEntropy: _cross_entropy,
    Hinge: _hinge,
    BinaryCrossEntropy: _binary,
}
"""The losses whose first value does not depend on the targets."""
