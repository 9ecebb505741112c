"""The workers of a training step: threads that do the same to different samples, and meet.

NumPy lets go of Python's lock while it computes, so that two threads keep two processors busy.
"""

import os
import weakref
from collections.abc import Callable
from itertools import pairwise
from queue import SimpleQueue
from threading import Barrier, BrokenBarrierError, Thread

import numpy as np

Task = Callable[[int], None]
"""What every worker does, called with its number."""
Outcomes = list[BaseException | None]
"""What failed in each worker that has ended a task."""
Tasks = SimpleQueue[tuple[Task, Outcomes] | None]
_FEWEST_SAMPLES = 4
"""Below this many samples a worker, more workers cost more than they bring."""


class Team:
    """`size` workers: worker 0 is the caller, the others are daemon threads that end with the team.

    What each worker does, and the order of sums, is fixed: equal inputs give equal bits.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._barrier = Barrier(size)
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._queues: list[Tasks] = [SimpleQueue() for _ in range(size - 1)]
        for worker, queue in enumerate(self._queues, start=1):
            Thread(target=_work, args=(worker, queue, self._bell, self._barrier), daemon=True).start()
        self._end = weakref.finalize(self, _dismiss, self._queues)

    def join(self) -> None:
        """Within a task, wait until every worker has come here."""
        self._barrier.wait()

    def run(self, task: Task) -> None:
        """Let every worker do a task; what fails in one ends it in all, and is raised here."""
        errors: list[BaseException] = []
        outcomes: Outcomes = []
        for queue in self._queues:
            queue.put((task, outcomes))
        try:
            task(0)
        except BaseException as error:
            self._barrier.abort()
            errors.append(error)
        errors += self._await(outcomes)
        errors += [outcome for outcome in outcomes if outcome is not None]
        if errors:
            self._barrier.reset()
            raise next((error for error in errors if not isinstance(error, BrokenBarrierError)), errors[0])

    def close(self) -> None:
        """Let the workers go."""
        self._end()

    def _await(self, outcomes: Outcomes) -> list[BaseException]:
        """Wait until the other workers have ended; an interrupt ends them sooner and is given back.

        Outcomes are counted rather than rings: an interrupt may come when a ring has just been heard.
        """
        interrupts: list[BaseException] = []
        while len(outcomes) < len(self._queues):
            try:
                self._bell.get()
            except KeyboardInterrupt as error:
                self._barrier.abort()
                interrupts.append(error)
        return interrupts


def _work(worker: int, queue: Tasks, bell: SimpleQueue[None], barrier: Barrier) -> None:
    """A thread's life: it holds no team, task or error while it waits, so that all can go."""
    with np.errstate(all="ignore"):
        while (given := queue.get()) is not None:
            task, outcomes = given
            outcome: BaseException | None = None
            try:
                task(worker)
            except BaseException as error:
                barrier.abort()
                outcome = error
            outcomes.append(outcome)
            del given, task, outcomes, outcome
            bell.put(None)


def _dismiss(queues: list[Tasks]) -> None:
    for queue in queues:
        queue.put(None)


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
