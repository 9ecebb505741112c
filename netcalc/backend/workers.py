"""Worker threads: they run one task on different parts of the arrays and synchronise with each other.

NumPy releases the global interpreter lock while it computes, so two threads keep two cores busy. Processes
are never forked: a forked process can wait forever for a lock that another thread held.
"""

import os
import weakref
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Lock, RLock, Thread
from time import sleep
from typing import NamedTuple

import numpy as np

Task = Callable[[int], object]
"""What every worker runs, called with its number."""
Tasks = SimpleQueue[Task | None]
_SPINS = 100
"""Checks before a waiting worker sleeps; each lets another thread take the interpreter lock."""
_SLEEP_SECONDS = 0.001
"""A sleeping worker checks again after this time, even if nothing wakes it."""
_FEWEST_SAMPLES = 4
"""With fewer samples a worker, another worker costs more time than it saves."""


class Share(NamedTuple):
    """One worker's share of the work, which is split into as many parts as there are workers."""

    worker: int = 0
    workers: int = 1

    def of(self, size: int, unit: int = 1) -> slice:
        """Its part of an axis, in whole units."""
        units = -(-size // unit)
        first, last = (number * units // self.workers * unit for number in (self.worker, self.worker + 1))
        return slice(min(first, size), min(last, size))

    @property
    def is_first(self) -> bool:
        return self.worker == 0


class WorkersAborted(Exception):
    """Another worker failed, so this one stops."""


class Progress:
    """A progress counter for each worker. The workers synchronise by waiting for each other's counters.

    A waiting worker spins for a while, then sleeps until the other worker wakes it.
    """

    def __init__(self, size: int) -> None:
        self._counts = [0] * size
        self._awaited: list[tuple[int, int] | None] = [None] * size
        """For each sleeping worker the other worker and the count that it waits for."""
        self._wakeups = [Lock() for _ in range(size)]
        for wakeup in self._wakeups:
            wakeup.acquire()
        self.aborted = False

    def barrier(self, worker: int) -> None:
        """Wait until every worker has called this as often as this one."""
        self.advance(worker)
        for other in range(len(self._counts)):
            self.wait(worker, other, self._counts[worker])

    def advance(self, worker: int) -> None:
        """Add one to a worker's counter, and wake the workers that wait for it."""
        own = self._counts[worker] + 1
        self._counts[worker] = own
        for sleeper, awaited in enumerate(self._awaited):
            if awaited is not None and awaited[0] == worker and awaited[1] <= own:
                self._wake(sleeper)

    def wait(self, worker: int, other: int, count: int) -> None:
        """Wait until another worker's counter reaches `count`. Raises WorkersAborted where one fails."""
        counts, spins = self._counts, 0
        while counts[other] < count:
            if self.aborted:
                raise WorkersAborted
            spins += 1
            if spins < _SPINS:
                sleep(0)
                continue
            self._awaited[worker] = other, count
            if counts[other] < count:
                self._wakeups[worker].acquire(timeout=_SLEEP_SECONDS)
            self._awaited[worker] = None

    def restart(self) -> None:
        """Set all counters to 0; no worker may be waiting."""
        self._counts[:] = [0] * len(self._counts)

    def _wake(self, other: int) -> None:
        """Wake a worker. A second wake-up, or one that comes late, makes it check once more in vain."""
        try:
            self._wakeups[other].release()
        except RuntimeError:  # it has been woken already
            return


class Workers:
    """`size` workers: worker 0 is the calling thread, the others are daemon threads.

    The threads start with the first task and end with this object. What each worker computes, and the
    order of sums, is fixed: equal inputs give equal bits.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._queues: list[Tasks] = []
        self._end = weakref.finalize(self, _end_threads, self._queues)
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = RLock()
        self._progress = Progress(self.size)
        self._unsettled = False

    @property
    def lock(self) -> RLock:
        """The lock that a user of the workers holds: they run one task at a time."""
        if os.getpid() != self._process:  # a forked process has neither the threads nor valid locks
            self._queues.clear()
            self._begin()
        return self._lock

    def barrier(self, worker: int) -> None:
        """Within a task, wait until every worker has reached this point."""
        self._progress.barrier(worker)

    def advance(self, worker: int) -> None:
        """Within a task, add one to this worker's progress counter."""
        self._progress.advance(worker)

    def wait(self, worker: int, other: int, count: int) -> None:
        """Within a task, wait until another worker's counter, 0 when the task began, reaches `count`."""
        self._progress.wait(worker, other, count)

    def run(self, task: Task) -> None:
        """Run a task on every worker. An error in one aborts it in all, and is raised here."""
        with self.lock:
            if self._unsettled:
                self._settle()
            if len(self._queues) < self.size - 1:
                self._start()
            self._unsettled = True
            self._progress.restart()
            errors: list[BaseException] = []
            try:
                for queue in self._queues:
                    queue.put(partial(_run, task, self._progress, errors))
                task(0)
                self._progress.barrier(0)
            except BaseException as error:
                self._fail([error], errors)
            self._unsettled = False

    def close(self) -> None:
        """End the threads. The next task starts new ones."""
        with self.lock:
            _end_threads(self._queues)

    def _start(self) -> None:
        for worker in range(len(self._queues) + 1, self.size):
            queue: Tasks = SimpleQueue()
            Thread(target=_serve, args=(worker, queue), daemon=True).start()
            self._queues.append(queue)

    def _fail(self, own: list[BaseException], others: list[BaseException]) -> None:
        """Wait until all workers have stopped, through further interrupts too, and raise the error."""
        while self._unsettled:
            try:
                self._settle()
            except KeyboardInterrupt as error:
                own.append(error)
        errors = [*own, *others]
        raise next((error for error in errors if not isinstance(error, WorkersAborted)), errors[0])

    def _settle(self) -> None:
        """Abort the task and wait until every worker has left it."""
        self._progress.aborted = True
        idle: SimpleQueue[int] = SimpleQueue()
        for queue in self._queues:
            queue.put(idle.put)
        for _ in self._queues:
            idle.get()
        self._progress = Progress(self.size)
        self._unsettled = False


def _run(task: Task, progress: Progress, errors: list[BaseException], worker: int) -> None:
    """Run a task and count it as done, or record its error."""
    try:
        task(worker)
        progress.advance(worker)  # the caller waits for this at the end of the task
    except BaseException as error:
        errors.append(error)
        progress.aborted = True


def _serve(worker: int, queue: Tasks) -> None:
    """Run tasks from a queue. While it waits it references no task or error, so that these can be freed."""
    with np.errstate(all="ignore"):
        while (task := queue.get()) is not None:
            task(worker)
            del task


def _end_threads(queues: list[Tasks]) -> None:
    while queues:
        queues.pop().put(None)


def sample_shares(batch: int, workers: int | None) -> list[slice]:
    """The samples of each worker; as many workers as cores, fewer for a small batch, unless given."""
    if workers is None:
        workers = max(1, min(cores(), batch // _FEWEST_SAMPLES))
    return [Share(worker, workers).of(batch) for worker in range(workers)]


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
