"""The observer that holds all checks."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.train.loss import LossFunction
from netcalc.train.losses import TotalLoss
from netcalc.train.monitoring.check import TrainingCheck
from netcalc.train.monitoring.dead_units import SAMPLES, DeadUnits
from netcalc.train.monitoring.divergence import Divergence
from netcalc.train.monitoring.first_loss import FirstLoss
from netcalc.train.monitoring.gradients import GradientScale
from netcalc.train.monitoring.stagnation import Stagnation
from netcalc.train.preparation import own_inputs
from netcalc.train.records import EpochRecord, Observer, StepRecord, TrainingWarning

if TYPE_CHECKING:
    from netcalc.train.loop import Training


class Monitor(Observer):
    """Warns where a training goes wrong, of each kind of trouble once.

    `loss` tells what the first loss should be; without it, and with weights that are `pretrained`, that is
    not looked at. `probe` are inputs of a few samples, which are run after epochs to find dead units.
    `stagnation` is whether it looks at losses that do not fall; what a training has `said` before it was
    interrupted is not said again. It changes nothing of the network.
    """

    def __init__(
        self,
        network: Network,
        loss: LossFunction | TotalLoss | None = None,
        *,
        probe: Mapping[str, Array] | None = None,
        pretrained: bool = False,
        stagnation: bool = True,
        said: Iterable[TrainingWarning] = (),
    ) -> None:
        self._checks: list[TrainingCheck] = [Divergence(network), GradientScale(network)]
        if stagnation:
            self._checks.append(Stagnation())
        if loss is not None and not pretrained:
            self._checks.append(FirstLoss(network.graph, loss))
        if probe is not None:
            self._checks.append(DeadUnits(network, probe))
        before = [warning.message for warning in said]
        self._checks = [
            check
            for check in self._checks
            if not any(words in message for words in check.says for message in before)
        ]

    @classmethod
    def of(cls, training: "Training", said: Iterable[TrainingWarning] = ()) -> Self:
        """The monitor of a training; the probe are samples that are held back, where there are some."""
        samples = training.validation or training.batches
        batch = samples.batch(samples.order(0)[:SAMPLES], 0)
        inputs = own_inputs(training.network.graph, batch.inputs)
        pretrained = bool(training.recipe.weights)
        return cls(training.network, training.loss, probe=inputs, pretrained=pretrained, said=said)

    def after_step(self, record: StepRecord, gradients: Mapping[str, Array]) -> Iterator[TrainingWarning]:
        if not record.samples:  # whose loss of 0 says nothing
            return
        for check in [*self._checks]:
            yield from self._last(check, [*check.after_step(record, gradients)])

    def after_epoch(self, record: EpochRecord) -> Iterator[TrainingWarning]:
        for check in [*self._checks]:
            yield from self._last(check, [*check.after_epoch(record)])

    def state(self) -> dict[str, dict[str, Any]]:
        """What the checks that have not spoken yet have seen, by their names: plain values."""
        return {type(check).__name__: check.state() for check in self._checks}

    def restore(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Go on as the monitor that gave this state would, in a training that goes on from there."""
        self._checks = [check for check in self._checks if type(check).__name__ in state]
        for check in self._checks:
            check.restore(state[type(check).__name__])

    def _last(self, check: TrainingCheck, found: list[TrainingWarning]) -> list[TrainingWarning]:
        """What a check found; one that has spoken is done."""
        if found:
            self._checks.remove(check)
        return found
