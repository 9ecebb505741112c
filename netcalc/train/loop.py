"""The training loop.

    network = recipe.network(graph)
    training = Training(network, data, recipe)
    training.run()

An update is: batches forward, their loss, backward, the mean of their gradients clipped, a step of the
optimiser. An epoch goes once through the samples that are trained on; then those that are held back are
evaluated. All of it is a function of network, data and recipe: equal runs give equal bits, and a training
that takes the state of another one goes on as that would have.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from itertools import islice
from math import inf, isnan
from time import perf_counter
from typing import Any

from netcalc.backend import Network, TrainingStep
from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.train.averaging import WeightAverage
from netcalc.train.data import Batch, DataSet
from netcalc.train.evaluation import Evaluation, evaluate
from netcalc.train.gradients import GradientAccumulator, clip_norm, clip_value, global_norm
from netcalc.train.losses import TotalLossResult
from netcalc.train.optimiser import load_arrays
from netcalc.train.preparation import (
    own_inputs,
    prepared_loss,
    prepared_optimiser,
    prepared_samples,
    prepared_schedule,
)
from netcalc.train.recipe import Recipe
from netcalc.train.records import EpochRecord, Observer, StepRecord, TrainingWarning
from netcalc.train.scores import Scores


@dataclass
class Position:
    """How far a training has come: all of its state that is no array."""

    epoch: int = 0
    """The epochs that are done."""
    batch: int = 0
    """The batches of this epoch that are done."""
    step: int = 0
    """The updates of the weights so far."""
    draws: int = 0
    """The number of the next random numbers of dropout."""
    scores: Scores = field(default_factory=Scores)
    """Of this epoch."""
    best_epoch: int | None = None
    """The epoch with the best validation so far: the highest accuracy, of equal ones the lowest loss."""
    best_accuracy: float | None = None
    best_loss: float = inf

    def is_better(self, accuracy: float | None, loss: float) -> bool:
        """Whether a validation is better than the best so far; a loss that is no number is the worst."""
        if self.best_epoch is None or isnan(loss) or isnan(self.best_loss):
            return self.best_epoch is None or not isnan(loss)
        return (accuracy or 0.0, -loss) > (self.best_accuracy or 0.0, -self.best_loss)

    def plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Position":
        """What `plain` gave."""
        return cls(**{**plain, "scores": Scores(**plain["scores"])})


class Training:
    """A network's training on a data set.

    `at` is how far it has come; `statistics` are the mean and deviation of each channel where samples are
    normalised. Raises ExecutionError, before any step, where network, data and recipe do not fit.
    """

    def __init__(self, network: Network, data: DataSet, recipe: Recipe) -> None:
        self.network, self.data, self.recipe = network, data, recipe
        samples = prepared_samples(network.graph, data, recipe)
        self.batches, self.validation, self.statistics, self.counts = samples
        self.loss = prepared_loss(network.graph, recipe)
        self.optimiser = prepared_optimiser(network, recipe)
        self.updates = -(-len(self.batches) // recipe.accumulate)
        """The updates of an epoch; the last one may be of fewer batches."""
        self.schedule = prepared_schedule(recipe, self.updates)
        self.average = None if recipe.ema is None else WeightAverage(network, decay=recipe.ema)
        self.at = Position()
        self._accumulator = GradientAccumulator()
        self._file = _size_and_time(data.path)
        self._steps: dict[int, TrainingStep] = {}

    def run(self, observers: Sequence[Observer] = ()) -> None:
        """Train until all epochs are done. The observers are told of everything, in their order."""
        while self.at.epoch < self.recipe.epochs:
            # a file is mapped, so that reading what is cut off would end the process
            if _size_and_time(self.data.path) not in (None, self._file):
                refuse("E906", f"{self.data.path} has changed since the training began")
            batches = self.batches.epoch(self.at.epoch, start=self.at.batch)
            while group := list(islice(batches, self.recipe.accumulate)):
                record, gradients = self.update(group)
                for observer in observers:
                    _warn(observer.after_step(record, gradients), observers)
            finished = self.finish_epoch()
            for observer in observers:
                _warn(observer.after_epoch(finished), observers)

    def update(
        self, group: Iterable[Batch], factor: float | None = None
    ) -> tuple[StepRecord, Mapping[str, Array]]:
        """Update the weights once, by the mean gradient of some batches, which is returned too.

        `factor` is that of the learning rate, the schedule's unless given.
        """
        began = perf_counter()
        recipe, scores = self.recipe, Scores()
        self.network.draws = self.at.draws
        for batch in group:
            step = self._step_of(len(batch.labels))
            outputs = step.run(own_inputs(self.network.graph, batch.inputs))
            loss = self._loss(outputs, batch)
            before = scores.samples
            scores.add(loss, self.loss, outputs, batch)
            gradients: Mapping[str, Array] = step.backward(loss.gradients).params
            self.at.batch += 1
            if recipe.accumulate > 1 and scores.samples > before:
                self._accumulator.add(gradients, weight=len(batch.labels))
        if self._accumulator.batches:
            gradients = self._accumulator.mean()
        norm = clip_norm(gradients, recipe.clip_norm) if recipe.clip_norm else global_norm(gradients)
        if recipe.clip_value:
            clip_value(gradients, recipe.clip_value)
        if factor is None:
            factor = self.schedule(self.at.step)
        self.optimiser.step(gradients, factor)
        if self.average is not None:
            self.average.update()
        self.at.step += 1
        self.at.draws = self.network.draws
        self.at.scores.join(scores)
        seconds = perf_counter() - began
        self.at.scores.seconds += seconds
        rate = self.optimiser.lr * factor
        record = StepRecord(
            self.at.step, self.at.epoch, scores.loss, scores.accuracy, rate, norm, scores.samples, seconds
        )
        return record, gradients

    def finish_epoch(self) -> EpochRecord:
        """Evaluate the samples that are held back, and begin the next epoch."""
        at, scores = self.at, self.at.scores
        if not scores.samples:
            refuse("E931", f"epoch {at.epoch + 1} has no loss: no label counts")
        held_back = self.evaluation()
        accuracy, loss = (held_back.accuracy, held_back.loss) if held_back else (None, None)
        rate = self.optimiser.lr * self.schedule(at.step - 1)
        record = EpochRecord(
            at.epoch, at.step, scores.loss, scores.accuracy, loss, accuracy, rate, scores.seconds
        )
        if loss is not None and at.is_better(accuracy, loss):
            at.best_epoch, at.best_accuracy, at.best_loss = at.epoch, accuracy, loss
        at.epoch, at.batch, at.scores = at.epoch + 1, 0, Scores()
        return record

    def evaluation(self) -> Evaluation | None:
        """How well the samples that are held back are predicted; None where there are none."""
        if self.validation is None:
            return None
        output, (loss, _) = next(iter(self.loss.terms.items()))
        with self.averaged():
            try:
                return evaluate(self.network, self.validation.epoch(0), loss, output=output)
            except ValueError as error:
                refuse("E931", f"the samples that are held back have no loss: {error}")

    @property
    def improved(self) -> bool:
        """Whether the epoch that has ended is the best so far, or there is nothing to compare."""
        return self.validation is None or self.at.best_epoch == self.at.epoch - 1

    def averaged(self) -> AbstractContextManager[None]:
        """A context in which the network has the weights that are evaluated and kept: the average's."""
        return nullcontext() if self.average is None else self.average.applied()

    def arrays(self) -> dict[str, Array]:
        """All arrays that the next step depends on, by name: its own, not copies."""
        parts = {"weights": self.network.parameters(), "optimiser": self.optimiser.state()}
        if self.average is not None:
            parts["average"] = self.average.state()
        return {f"{part}.{name}": array for part, own in parts.items() for name, array in own.items()}

    def restore(self, arrays: Mapping[str, Array], position: Position) -> None:
        """Take the state of another training, and go on from there bit for bit.

        Raises ValueError where arrays are of another network or recipe; then nothing is changed.
        """
        load_arrays(self.arrays(), arrays, "the training")
        optimiser = {name.partition(".")[2]: a for name, a in arrays.items() if name.startswith("optimiser.")}
        self.optimiser.load_state(optimiser)
        self.at = position

    def close(self) -> None:
        """End the threads."""
        for step in self._steps.values():
            step.close()
        self._steps.clear()

    def _step_of(self, samples: int) -> TrainingStep:
        """The training step for batches of a size: one for all but the last batch of an epoch."""
        if samples not in self._steps:
            workers = self.recipe.workers_of(samples)
            self._steps[samples] = TrainingStep(self.network, samples, workers=workers)
        return self._steps[samples]

    def _loss(self, outputs: dict[str, Array], batch: Batch) -> TotalLossResult:
        """The loss of a batch; of a mixture the shares of both labels."""
        try:
            return self._total_loss(outputs, batch)
        except ValueError as error:
            refuse("E931", f"step {self.at.step + 1:,} has no loss: {error}")

    def _total_loss(self, outputs: dict[str, Array], batch: Batch) -> TotalLossResult:
        if batch.others is None or batch.weights is None:
            return self.loss(outputs, self._targets(outputs, batch.labels))
        first = self.loss(outputs, self._targets(outputs, batch.labels), batch.weights)
        second = self.loss(outputs, self._targets(outputs, batch.others), 1 - batch.weights)
        for name, gradient in first.gradients.items():
            gradient += second.gradients[name]
        parts = {name: loss + second.losses[name] for name, loss in first.losses.items()}
        return TotalLossResult(first.value + second.value, first.gradients, parts)

    def _targets(self, outputs: dict[str, Array], labels: Array) -> Array:
        """Labels of classes as they are; numbers in the shape of the outputs."""
        name, (loss, _) = next(iter(self.loss.terms.items()))
        return labels if loss.of_classes else labels.reshape(outputs[name].shape)


def _size_and_time(path: str) -> tuple[int, int] | None:
    """The size of a file and when it was changed; None for a folder, and where there is none."""
    if not os.path.isfile(path):
        return None
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def _warn(warnings: Iterable[TrainingWarning], observers: Sequence[Observer]) -> None:
    """Tell every observer of the warnings of one."""
    for warning in warnings:
        for observer in observers:
            observer.warned(warning)
