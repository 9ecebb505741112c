"""The workers of a training step: threads that do the same to different samples, and meet."""

import os
import weakref
from collections.abc import Callable
from itertools import pairwise
from queue import SimpleQueue
from threading import Barrier, BrokenBarrierError, Thread

import numpy as np

from netcalc.backend.blas import blas_threads

Task = Callable[[int], None]
_FEWEST_SAMPLES = 4
"""Below this many samples a worker, more workers cost more than they bring."""


def shares(batch: int, workers: int | None) -> list[slice]:
    """The samples of each worker: as many workers as there are processors, unless the batch is small."""
    if workers is None:
        workers = max(1, min(_processors(), batch // _FEWEST_SAMPLES))
    bounds = [batch * worker // workers for worker in range(workers + 1)]
    return [slice(first, behind) for first, behind in pairwise(bounds)]


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Team:
    """`size` workers: the caller's own thread, which is worker 0, and daemon threads for the others.

    NumPy lets go of Python's lock while it computes, so two threads keep two processors busy; each
    takes one thread for matrix products. Tasks, sums and results have a fixed order: equal inputs
    give equal bits. The threads end with the team.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._barrier = Barrier(size)
        self._outcomes: SimpleQueue[BaseException | None] = SimpleQueue()
        self._tasks: list[SimpleQueue[Task | None]] = [SimpleQueue() for _ in range(size - 1)]
        for worker, tasks in enumerate(self._tasks, start=1):
            Thread(target=_work, args=(worker, tasks, self._outcomes, self._barrier), daemon=True).start()
        self.close = weakref.finalize(self, _dismiss, self._tasks)

    def join(self) -> None:
        """Wait until every worker has come here."""
        if self.size > 1:
            self._barrier.wait()

    def run(self, task: Task) -> None:
        """Let every worker do the task, called with its number; what fails in one ends it in all."""
        with blas_threads(1), np.errstate(all="ignore"):
            for tasks in self._tasks:
                tasks.put(task)
            errors = []
            try:
                task(0)
            except BaseException as error:
                self._barrier.abort()
                errors.append(error)
            errors += self._others()
        if errors:
            self._barrier.reset()
            raise next((error for error in errors if not isinstance(error, BrokenBarrierError)), errors[0])

    def _others(self) -> list[BaseException]:
        """What failed in the other workers, once all have ended; an interrupt does not cut that short."""
        errors = []
        waiting = len(self._tasks)
        while waiting:
            try:
                outcome = self._outcomes.get()
            except KeyboardInterrupt as error:
                self._barrier.abort()
                errors.append(error)
                continue
            waiting -= 1
            if outcome is not None:
                errors.append(outcome)
        return errors


def _work(
    worker: int,
    tasks: SimpleQueue[Task | None],
    outcomes: SimpleQueue[BaseException | None],
    barrier: Barrier,
) -> None:
    """A thread's life: it holds no team and no task while it waits, so that both can go."""
    with np.errstate(all="ignore"):
        while (task := tasks.get()) is not None:
            outcome: BaseException | None = None
            try:
                task(worker)
            except BaseException as error:
                barrier.abort()
                outcome = error
            del task
            outcomes.put(outcome)


def _dismiss(tasks: list[SimpleQueue[Task | None]]) -> None:
    for queue in tasks:
        queue.put(None)
