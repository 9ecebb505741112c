"""What a training will take, said before its first step: memory, multiply-adds, time."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import chain, count, islice
from statistics import median
from typing import NamedTuple

from netcalc.analysis import analyze
from netcalc.analysis.losses import LossName
from netcalc.analysis.memory import TrainingMemory
from netcalc.analysis.memory import training as training_memory
from netcalc.graph import Graph
from netcalc.train.loop import Training
from netcalc.train.optimiser import Optimiser
from netcalc.train.transfer import unfrozen

_STEPS = 3
_NEAREST = ("sgd", "momentum", "adam")
"""The optimiser with none, one and two numbers of state for each weight."""


class Estimate(NamedTuple):
    """What a training takes."""

    memory: int
    """The least bytes at the peak of a step: weights, state, and what the layers keep for backward."""
    measured_memory: int
    """Bytes at the peak of a step as it runs here, with the buffers and workspaces of its layers."""
    forward_macs: int
    """Multiply-adds of an epoch, forward."""
    backward_macs: int
    validation_macs: int
    """Multiply-adds of the evaluation after an epoch."""
    step_seconds: float
    """The median of three steps."""
    unfrozen: tuple[int, int] | None = None
    """`memory` and `backward_macs` if all layers were trained, where some are frozen."""


def estimated(training: Training) -> Estimate:
    """The cost of a training by its graph, and its time by three steps, which are undone."""
    graph, recipe = training.network.graph, training.recipe
    kind: LossName = "cross_entropy" if recipe.loss.kind.of_classes else "mse"
    copies = (training.average is not None) + (recipe.accumulate > 1)
    trained_on, held_back = training.counts
    if recipe.drop_last:
        trained_on = len(training.batches) * recipe.batch

    def cost(graph: Graph) -> tuple[TrainingMemory, int, int]:
        """The analysis of a graph, with memory and multiply-adds backward."""
        counted = training_memory(graph, recipe.dtype, _like(training.optimiser), loss=kind)
        copied = analyze(graph, dtype=recipe.dtype).totals.trainable_params * training.network.dtype.itemsize
        memory = counted.peak(min(recipe.batch, trained_on)) + copies * copied
        return counted, memory, trained_on * counted.backward_macs

    free = unfrozen(graph)
    counted, memory, backward_macs = cost(graph)
    measured, seconds = measured_steps(training)
    return Estimate(
        memory,
        measured,
        trained_on * counted.forward_macs,
        backward_macs,
        held_back * counted.forward_macs,
        seconds,
        None if free is graph else cost(free)[1:],
    )


def measured_steps(training: Training) -> tuple[int, float]:
    """The peak of memory in a first update, and the median time of three more; all of them are undone."""
    arrays = {name: array.copy() for name, array in training.arrays().items()}
    position = deepcopy(training.at)
    batches = chain.from_iterable(training.batches.epoch(position.epoch) for _ in count())
    group = min(training.recipe.accumulate, len(training.batches))
    try:
        with _peak() as peak:
            training.update(islice(batches, group))
        records = [training.update(islice(batches, group))[0] for _ in range(_STEPS)]
    finally:
        training.restore(arrays, position)
    own = sum(array.nbytes for array in arrays.values())
    return own + peak[0], median(record.seconds for record in records)


@contextmanager
def _peak() -> Iterator[list[int]]:
    """The most bytes that were allocated at a time since the beginning, once it is left."""
    found = [0]
    is_traced = tracemalloc.is_tracing()
    if not is_traced:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    try:
        yield found
    finally:
        found[0] = tracemalloc.get_traced_memory()[1] - before
        if not is_traced:
            tracemalloc.stop()


def _like(optimiser: Optimiser) -> str:
    """The optimiser of the memory's analysis with as much state."""
    return _NEAREST[len(optimiser.slots)]
