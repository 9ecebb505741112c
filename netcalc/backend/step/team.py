"""The workers of a training step: they do the same to different samples, and meet."""

import os
import platform
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from netcalc.backend.kernels.base import Array

Task = Callable[[int], None]
"""What every worker does, called with its number."""
_FEWEST_SAMPLES = 4
"""Below this many samples a worker, more workers cost more than they bring."""


class Team:
    """`size` workers, of which worker 0 is the caller. Alone, it does all itself.

    Tasks, sums and results have a fixed order: equal inputs give equal bits.
    """

    within_process: ClassVar[bool] = True
    """Whether every worker sees all arrays of this process."""

    def __init__(self, size: int = 1) -> None:
        self.size = size
        self._tasks: Sequence[Task] = ()

    def zeros(self, shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """An array that all workers see; made before `begin`."""
        return np.zeros(shape, dtype)

    def begin(self, tasks: Sequence[Task]) -> None:
        """Name the tasks that `run` will be asked for, by their number."""
        self._tasks = tasks

    def join(self) -> None:
        """Within a task, wait until every worker has come here."""

    def run(self, number: int) -> None:
        """Let every worker do a task; what fails in one ends it in all, and is raised here."""
        self._tasks[number](0)

    def close(self) -> None:
        """Let the workers go."""


def shares(batch: int, workers: int | None) -> list[slice]:
    """The samples of each worker: as many workers as there are processors, unless the batch is small."""
    if workers is None:
        workers = max(1, min(processors(), batch // _FEWEST_SAMPLES))
    bounds = [batch * worker // workers for worker in range(workers + 1)]
    return [slice(first, behind) for first, behind in pairwise(bounds)]


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def can_fork() -> bool:
    """Whether processes can share memory and meet in it: Linux, where stores are seen in their order."""
    return sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64")
