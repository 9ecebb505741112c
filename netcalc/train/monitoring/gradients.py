"""Gradients that vanish and updates that explode, with the layer.

A layer's gradient is measured against its weights, |g| / |w|, as an update would be felt (You et al. 2017
scale each layer's learning rate by it). Layers of sound networks differ by factors of up to some thousands:
one that stays below a millionth of the largest learns nothing, as in deep stacks of sigmoids, whose slope of
at most 1/4 is a factor for each layer (Hochreiter 1991; Glorot and Bengio 2010).

Updates of sound trainings are about a thousandth of the weights, and gradient descent on a parabola around 0
diverges where the update is more than twice the weight. The norm of all gradients is compared with that of
the first steps; a few times as much is the rule (Pascanu, Mikolov and Bengio 2013).
"""

from collections.abc import Iterator, Mapping
from math import isfinite, sqrt
from typing import Any, NamedTuple

import numpy as np

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.backend.profiling import norm
from netcalc.diagnostics import counted
from netcalc.train.monitoring.check import TrainingCheck
from netcalc.train.parameters import trained_parameters
from netcalc.train.records import StepRecord, TrainingWarning

VANISHED = 1e-6
"""Below this part of the largest relative gradient a layer's has vanished."""

EXPLODED = 2.0
"""An update is too long where it is more than this many times the weights."""

GROWN = 100.0
"""The gradients explode where their norm is more than this many times that of the first steps."""

_FIRST = 10
"""Steps that are all measured; of later ones every tenth."""

_PATIENCE = 10
"""Measurements for which a gradient stays small: a branch that a zero scale ends begins without one."""

_SAMPLE = 4096
"""Elements of each layer whose updates are measured."""


class _Weights(NamedTuple):
    """A matrix or a kernel; vectors, such as biases before a norm, may have no gradient."""

    layer: str
    name: str
    array: Array
    part: Array
    """Some of its elements: a view."""


class GradientScale(TrainingCheck):
    """Measures gradients and updates layer by layer: at each of the first steps, then at every tenth."""

    says = ("explode:", "vanish:", "no gradient reaches")
    kept = ("_from_zero", "_small", "_start", "_measured")

    def __init__(self, network: Network) -> None:
        self._weights = [
            _Weights(name.rpartition(".")[0], name, array, _part(array))
            for name, array, *_ in trained_parameters(network)
            if array.ndim > 1
        ]
        self._from_zero = {each.name for each in self._weights if not each.part.any()}
        self._small = dict.fromkeys((each.name for each in self._weights), 0)
        self._start = 0.0
        self._measured = 0
        self._before: list[Array] | None = self._parts()

    def state(self) -> dict[str, Any]:
        return super().state() | {"_from_zero": sorted(self._from_zero)}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore({**state, "_from_zero": set(state["_from_zero"])})
        self._before = self._parts() if _is_measured(self._measured + 1) else None

    def after_step(self, record: StepRecord, gradients: Mapping[str, Array]) -> Iterator[TrainingWarning]:
        if not self._weights or not isfinite(record.gradient_norm):
            return
        before = self._before
        self._measured += 1
        self._before = self._parts() if _is_measured(self._measured + 1) else None
        found = self._grown(record, gradients)
        if found is None and before is not None:
            found = self._updated(record, before) or self._vanished(record, gradients)
        if found is not None:
            yield found

    def _parts(self) -> list[Array]:
        return [each.part.copy() for each in self._weights]

    def _grown(self, record: StepRecord, gradients: Mapping[str, Array]) -> TrainingWarning | None:
        """A warning where the gradients' norm has grown, unless it was clipped before the update."""
        if self._measured <= _FIRST:
            self._start = max(self._start, record.gradient_norm)
            return None
        if not self._start or record.gradient_norm <= GROWN * self._start:
            return None
        used = sqrt(sum(_norm(gradient) ** 2 for gradient in gradients.values()))
        if used < record.gradient_norm / 2:
            return None
        relative = self._relative(gradients)
        layer = self._weights[relative.index(max(relative))].layer
        message = (
            f"the gradients explode: their norm is {record.gradient_norm:.3g}, where it was "
            f"{self._start:.3g} at most in the first {_FIRST} steps; relative to the weights that of {layer} "
            "is the largest"
        )
        return TrainingWarning(record.step, message, layer, _lower(record))

    def _updated(self, record: StepRecord, before: list[Array]) -> TrainingWarning | None:
        """A warning where the update of a layer was longer than its weights."""
        ratios = [
            0.0 if each.name in self._from_zero else _ratio(_norm(each.part - old), _norm(old))
            for each, old in zip(self._weights, before, strict=True)
        ]
        longest = max(ratios)
        if longest <= EXPLODED:
            return None
        layer = self._weights[ratios.index(longest)].layer
        message = f"the updates explode: that of {layer} is {longest:.3g} times as long as its weights"
        return TrainingWarning(record.step, message, layer, _lower(record))

    def _vanished(self, record: StepRecord, gradients: Mapping[str, Array]) -> TrainingWarning | None:
        """A warning where the gradients of layers have long been a tiny part of another's."""
        relative = self._relative(gradients)
        largest = max(relative)
        if not isfinite(largest):
            return None
        for each, value in zip(self._weights, relative, strict=True):
            self._small[each.name] = self._small[each.name] + 1 if value < VANISHED * largest else 0
        gone = {
            each.layer: value
            for each, value in zip(self._weights, relative, strict=True)
            if self._small[each.name] >= _PATIENCE
        }
        if not gone:
            return None
        layer = min(gone, key=lambda name: gone[name])
        others = len(gone) - 1
        if gone[layer]:
            strongest = self._weights[relative.index(largest)].layer
            part = f"{gone[layer] / largest:.2g} of {strongest}'s"
            message = f"the gradients vanish: relative to the weights that of {layer} is {part}"
            help = (
                "add norms or residual connections, take ReLU in place of sigmoids, or another initialisation"
            )
        else:
            message = f"no gradient reaches {layer}"
            help = "its units or those after it are dead, or no loss reads what it computes"
        if others:
            message += f", and {counted(others, 'other layer')} {'are' if others > 1 else 'is'} alike"
        return TrainingWarning(record.step, message, layer, help)

    def _relative(self, gradients: Mapping[str, Array]) -> list[float]:
        """The norm of each layer's gradient against that of its weights; 0 where the weights are zeros."""
        return [_ratio(_norm(gradients[each.name]), _norm(each.array)) for each in self._weights]


def _is_measured(step: int) -> bool:
    return step <= _FIRST or step % 10 == 0


def _part(array: Array) -> Array:
    """Elements at equal distances."""
    part: Array = array.reshape(-1, copy=False)[:: max(1, array.size // _SAMPLE)]
    return part


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _norm(array: Array) -> float:
    """The Euclidean norm: fast where float32 holds the squares."""
    with np.errstate(all="ignore"):
        flat = array.reshape(-1)
        squares = float(np.dot(flat, flat))
    return sqrt(squares) if _SQUARES[0] < squares < _SQUARES[1] else norm(array)


_SQUARES = (1e-25, 1e30)
"""Sums of squares between these are exact enough in float32."""


def _lower(record: StepRecord) -> str:
    return f"lower the learning rate, {record.rate:.4g} here, or clip the gradients: clip_norm 1"
