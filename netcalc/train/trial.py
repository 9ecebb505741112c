"""Steps of a training that are taken back: what a search or a test learns does not stay."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import count, islice

from netcalc.train.data import Batch
from netcalc.train.loop import Training


@contextmanager
def taken_back(training: Training) -> Iterator[None]:
    """A context after which the training is where it was, bit for bit."""
    arrays = {name: array.copy() for name, array in training.arrays().items()}
    position, draws = deepcopy(training.at), training.network.draws
    try:
        yield
    finally:
        training.restore(arrays, position)
        training.network.draws = draws


def groups(training: Training) -> Iterator[list[Batch]]:
    """The batches of one update after another, epoch by epoch without end."""
    for epoch in count():
        batches = training.batches.epoch(epoch)
        while group := list(islice(batches, training.recipe.accumulate)):
            yield group
