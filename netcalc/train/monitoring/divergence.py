"""Losses and gradients that are NaN or infinite."""

from collections.abc import Iterator, Mapping
from math import isfinite, isnan
from typing import Any

import numpy as np

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.train.monitoring.check import TrainingCheck
from netcalc.train.parameters import trained_parameters
from netcalc.train.records import StepRecord, TrainingWarning

_USUAL = 10
"""Gradients that explode pass through norms of more than so many times the first."""


class Divergence(TrainingCheck):
    """Speaks at the first loss or gradient that is not finite, and of what came before it."""

    says = ("the loss is NaN", "the loss is infinite", "the gradients are not finite")
    kept = ("_first", "_last")

    def __init__(self, network: Network) -> None:
        self._names = [parameter.name for parameter in trained_parameters(network)]
        self._first: StepRecord | None = None
        self._last: StepRecord | None = None

    def state(self) -> dict[str, Any]:
        # without their times, in which equal runs differ
        return {name: record and record._replace(seconds=0.0) for name, record in super().state().items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore({name: record and StepRecord(*record) for name, record in state.items()})

    def after_step(self, record: StepRecord, gradients: Mapping[str, Array]) -> Iterator[TrainingWarning]:
        if isfinite(record.loss) and isfinite(record.gradient_norm):
            self._first, self._last = self._first or record, record
            return
        layer = self._first_in_backward(gradients)
        if isfinite(record.loss):
            what = f"the gradients are not finite at step {record.step:,}"
        else:
            what = f"the loss is {'NaN' if isnan(record.loss) else 'infinite'} at step {record.step:,}"
        where = f"; the first gradient that is not finite is that of {layer}" if layer else ""
        yield TrainingWarning(record.step, f"{what}{where}{self._before()}", layer, self._help(record))

    def _first_in_backward(self, gradients: Mapping[str, Array]) -> str | None:
        """The layer nearest to the outputs with a gradient that is not finite."""
        for name in reversed(self._names):
            if not np.isfinite(gradients[name]).all():
                return name.rpartition(".")[0]
        return None

    def _before(self) -> str:
        """How large the gradients were when they were finite."""
        if self._first is None or self._last is None:
            return ""
        norms = f"{self._last.gradient_norm:.3g} at step {self._last.step:,}"
        if self._last.step > self._first.step:
            norms = f"{self._first.gradient_norm:.3g} at step {self._first.step:,}, {norms}"
        return f"; the gradients' norm was {norms}"

    def _help(self, record: StepRecord) -> str:
        data = "look for NaN, infinite or huge numbers in the samples and targets"
        if self._first is None or self._last is None:
            return f"no update came before: {data}, or in the weights"
        if self._last.gradient_norm < _USUAL * self._first.gradient_norm:
            return f"the gradients were small until then: {data}"
        return f"lower the learning rate, {record.rate:.4g} here, or clip the gradients: clip_norm 1"
