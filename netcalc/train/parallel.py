"""What training does beside the network's passes, on all cores: losses of large outputs, updates."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from netcalc.backend.workers import Share, Workers, cores

Item = TypeVar("Item")
_FEWEST_ELEMENTS = 1 << 16
"""With fewer elements a worker, another worker costs more time than it saves."""


def workers_for(elements: int) -> int:
    """How many workers share work on so many elements."""
    return max(1, min(cores(), elements // _FEWEST_ELEMENTS))


def in_parallel(task: Callable[[int, Item], object], items: Sequence[Item], workers: int) -> None:
    """Call a task with a worker's number and an item, for all items; each worker has some that are adjacent.

    What is computed for an item must not depend on the worker.
    """

    def run(worker: int) -> None:
        with np.errstate(all="ignore"):
            for item in items[Share(worker, workers).of(len(items))]:
                task(worker, item)

    if workers == 1:
        run(0)
    else:
        _shared(workers).run(run)


@cache
def _shared(workers: int) -> Workers:
    """The threads, which all losses and optimisers use in turn."""
    return Workers(workers)
