"""A team of threads, for systems that cannot fork.

NumPy lets go of Python's lock while it computes, so that two threads keep two processors busy; taking
the lock again costs some microseconds each time.
"""

import weakref
from queue import SimpleQueue
from threading import Barrier, BrokenBarrierError, Thread

import numpy as np

from netcalc.backend.step.team import Task, Team

Tasks = SimpleQueue[Task | None]
Outcomes = SimpleQueue[BaseException | None]


class Threads(Team):
    """Workers that are daemon threads of this process. They end with the team."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._barrier = Barrier(size)
        self._outcomes: Outcomes = SimpleQueue()
        self._queues: list[Tasks] = [SimpleQueue() for _ in range(size - 1)]
        for worker, queue in enumerate(self._queues, start=1):
            Thread(target=_work, args=(worker, queue, self._outcomes, self._barrier), daemon=True).start()
        self._end = weakref.finalize(self, _dismiss, self._queues)

    def join(self) -> None:
        self._barrier.wait()

    def run(self, number: int) -> None:
        task = self._tasks[number]
        for queue in self._queues:
            queue.put(task)
        errors: list[BaseException] = []
        try:
            task(0)
        except BaseException as error:
            self._barrier.abort()
            errors.append(error)
        errors += self._others()
        if errors:
            self._barrier.reset()
            raise next((error for error in errors if not isinstance(error, BrokenBarrierError)), errors[0])

    def close(self) -> None:
        self._end()

    def _others(self) -> list[BaseException]:
        """What failed in the other workers, once all have ended; an interrupt does not cut that short."""
        errors: list[BaseException] = []
        waiting = len(self._queues)
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


def _work(worker: int, queue: Tasks, outcomes: Outcomes, barrier: Barrier) -> None:
    """A thread's life: it holds no team and no task while it waits, so that both can go."""
    with np.errstate(all="ignore"):
        while (task := queue.get()) is not None:
            outcome: BaseException | None = None
            try:
                task(worker)
            except BaseException as error:
                barrier.abort()
                outcome = error
            del task
            outcomes.put(outcome)


def _dismiss(queues: list[Tasks]) -> None:
    for queue in queues:
        queue.put(None)
