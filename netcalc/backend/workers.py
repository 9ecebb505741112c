"""Workers of one process: threads that do the same task on different parts of the arrays, and meet.

NumPy lets go of Python's lock while it computes, so that two threads keep two cores busy. Processes are
never forked: a copy of a process in which another thread holds a lock waits for it for ever.
"""

import os
import weakref
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from queue import SimpleQueue
from threading import Lock, RLock, Thread
from time import sleep

import numpy as np

Task = Callable[[int], object]
"""What every worker does, called with its number."""
Tasks = SimpleQueue[Task | None]
_LOOKS = 100
"""Looks at the others before a worker goes to sleep; each lets another thread have Python's lock."""
_NAP = 0.001
"""Seconds after which a sleeper looks again of itself."""
_FEWEST_SAMPLES = 4
"""Below this many samples a worker, more workers cost more than they bring."""


class MeetingBroken(Exception):
    """Another worker failed, so that this one need not go on."""


class Meeting:
    """Where workers wait for each other: each counts what it has done, and looks at the others' counts.

    Who waits longer than for some looks sleeps, and is woken by the one that it waits for.
    """

    def __init__(self, size: int) -> None:
        self._counts = [0] * size
        self._wanted: list[tuple[int, int] | None] = [None] * size
        """The worker and the count that a sleeper waits for."""
        self._beds = [Lock() for _ in range(size)]
        for bed in self._beds:
            bed.acquire()
        self.broken = False

    def join(self, worker: int) -> None:
        """Wait until every worker has come as often as this one."""
        self.advance(worker)
        for other in range(len(self._counts)):
            self.wait(worker, other, self._counts[worker])

    def advance(self, worker: int) -> None:
        """Count one more thing that a worker has done."""
        own = self._counts[worker] + 1
        self._counts[worker] = own
        for sleeper, wanted in enumerate(self._wanted):
            if wanted is not None and wanted[0] == worker and wanted[1] <= own:
                self._wake(sleeper)

    def wait(self, worker: int, other: int, count: int) -> None:
        """Until another one has done so much. Raises MeetingBroken where one fails."""
        counts, looks = self._counts, 0
        while counts[other] < count:
            if self.broken:
                raise MeetingBroken
            looks += 1
            if looks < _LOOKS:
                sleep(0)
                continue
            self._wanted[worker] = other, count
            if counts[other] < count:
                self._beds[worker].acquire(timeout=_NAP)
            self._wanted[worker] = None

    def restart(self) -> None:
        """Count from nothing again; nobody is waiting."""
        self._counts[:] = [0] * len(self._counts)

    def _wake(self, other: int) -> None:
        """A sleeper that is woken twice, or after it has risen, looks once more for nothing."""
        try:
            self._beds[other].release()
        except RuntimeError:  # it has been woken already
            return


class Team:
    """`size` workers: worker 0 is the caller, the others are daemon threads that end with the team.

    They start with the first task. What each worker does, and the order of sums, is fixed: equal inputs
    give equal bits.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._queues: list[Tasks] = []
        self._end = weakref.finalize(self, _dismiss, self._queues)
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = RLock()
        self._meeting = Meeting(self.size)
        self._unsettled = False

    @property
    def lock(self) -> RLock:
        """Held by who uses the team, since it does one task at a time."""
        if os.getpid() != self._process:  # a copy of the process has neither its threads nor its locks
            self._queues.clear()
            self._begin()
        return self._lock

    def join(self, worker: int) -> None:
        """Within a task, wait until every worker has come here."""
        self._meeting.join(worker)

    def advance(self, worker: int) -> None:
        """Within a task, count one more thing that this worker has done."""
        self._meeting.advance(worker)

    def wait(self, worker: int, other: int, count: int) -> None:
        """Within a task, wait until another worker has done so many things since the task began."""
        self._meeting.wait(worker, other, count)

    def run(self, task: Task) -> None:
        """Let every worker do a task; what fails in one ends it in all, and is raised here."""
        with self.lock:
            if self._unsettled:
                self._settle()
            if len(self._queues) < self.size - 1:
                self._start()
            self._unsettled = True
            self._meeting.restart()
            errors: list[BaseException] = []
            try:
                for queue in self._queues:
                    queue.put(partial(_done, task, self._meeting, errors))
                task(0)
                self._meeting.join(0)
            except BaseException as error:
                self._fail([error], errors)
            self._unsettled = False

    def close(self) -> None:
        """Let the workers go. The next task has new ones."""
        with self.lock:
            _dismiss(self._queues)

    def _start(self) -> None:
        for worker in range(len(self._queues) + 1, self.size):
            queue: Tasks = SimpleQueue()
            Thread(target=_serve, args=(worker, queue), daemon=True).start()
            self._queues.append(queue)

    def _fail(self, own: list[BaseException], others: list[BaseException]) -> None:
        """Wait until all have ended, also when one is interrupted again, and raise what went wrong."""
        while self._unsettled:
            try:
                self._settle()
            except KeyboardInterrupt as error:
                own.append(error)
        errors = [*own, *others]
        raise next((error for error in errors if not isinstance(error, MeetingBroken)), errors[0])

    def _settle(self) -> None:
        """Wait until no worker has anything to do: each rings when it has ended what it was given before."""
        self._meeting.broken = True
        bell: SimpleQueue[int] = SimpleQueue()
        for queue in self._queues:
            queue.put(bell.put)
        for _ in self._queues:
            bell.get()
        self._meeting = Meeting(self.size)
        self._unsettled = False


def _done(task: Task, meeting: Meeting, errors: list[BaseException], worker: int) -> None:
    """Do a task and say so, or say what went wrong."""
    try:
        task(worker)
        meeting.advance(worker)  # for the caller, who alone waits for the end
    except BaseException as error:
        errors.append(error)
        meeting.broken = True


def _serve(worker: int, queue: Tasks) -> None:
    """A thread's life: it holds no team, task or error while it waits, so that all can go."""
    with np.errstate(all="ignore"):
        while (task := queue.get()) is not None:
            task(worker)
            del task


def _dismiss(queues: list[Tasks]) -> None:
    while queues:
        queues.pop().put(None)


def shares(batch: int, workers: int | None) -> list[slice]:
    """The samples of each worker: as many workers as there are cores, unless the batch is small."""
    if workers is None:
        workers = max(1, min(cores(), batch // _FEWEST_SAMPLES))
    bounds = [batch * worker // workers for worker in range(workers + 1)]
    return [slice(first, behind) for first, behind in pairwise(bounds)]


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
