"""Workers that go through lists of calls side by side: this process and copies of it.

The copies are forked, so that they have all arrays; what they write for each other lies in memory that is
shared without a name. Between two runs they sleep on a pipe. Within a run all wait for each other between
lists, each counting in shared memory what it has done; that takes microseconds, where a thread of a pool
takes a hundred. A copy ends when its pipe does, so that none outlives this process.
"""

import mmap
import os
import platform
import signal
import sys
import warnings
import weakref
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from netcalc.backend.blas import blas_threads
from netcalc.backend.convolution.base import Call
from netcalc.backend.kernels.base import Array

_LINE = 8
"""Counters are so many apart, each in a cache line of its own."""
_EAGER = 1_000
"""Looks at another's counter before the processor is given away between looks."""
_FAILED = 2**62
"""The count of a worker that could not do its part: no one waits for it, all see it in the end."""

Lists = Sequence[Sequence[Call]]


def can_fork() -> bool:
    """Whether workers can be had: Linux, on a processor that lets stores be seen in their order."""
    return sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64", "i686")


def usable_cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def shared_memory(nbytes: int) -> Array:
    """Zeros that copies of this process see too; they have no name, and go with the last process."""
    return np.frombuffer(mmap.mmap(-1, max(nbytes, 1)), np.uint8)


class WorkerError(Exception):
    """A worker could not do its part, or is gone."""


class Crew:
    """As many workers as there are lists of lists of calls; the first is this process."""

    def __init__(self, lists: Sequence[Lists]) -> None:
        self._lists = lists
        self._counts = memoryview(mmap.mmap(-1, 8 * _LINE * len(lists))).cast("q")
        self._owner = os.getpid()
        self._pids: list[int] = []
        self._pipes: list[int] = []
        self._done = 0
        self._end = weakref.finalize(self, _ended, self._pids, self._pipes, self._owner)

    def run(self) -> None:
        """Go through all lists once. Raises WorkerError where a worker fails; the next run starts anew."""
        if os.getpid() != self._owner:
            raise WorkerError("a plan runs in the process that made it")
        if len(self._lists) > 1 and not self._pids:
            self._start()
        try:
            for pipe in self._pipes:
                os.write(pipe, b"r")
            self._work(0)
            self._wait(0)
        except BrokenPipeError as error:
            self.close()
            raise WorkerError("a worker is gone") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the copies. The next run makes new ones."""
        _ended(self._pids, self._pipes, self._owner)

    def _start(self) -> None:
        self._done = 0
        for worker in range(len(self._lists)):
            self._counts[worker * _LINE] = 0
        for worker in range(1, len(self._lists)):
            read, write = os.pipe()
            with warnings.catch_warnings():  # threads do not matter to a copy that calls NumPy alone
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
            if pid == 0:
                self._serve(worker, read, [*self._pipes, write])
            os.close(read)
            self._pids.append(pid)
            self._pipes.append(write)

    def _serve(self, worker: int, pipe: int, others: list[int]) -> None:
        """What a copy does until its pipe ends."""
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that it copies
            for other in others:
                os.close(other)
            with blas_threads(1), np.errstate(all="ignore"):
                while os.read(pipe, 1):
                    self._work(worker)
        except BaseException:
            self._counts[worker * _LINE] = _FAILED
        finally:
            os._exit(0)

    def _work(self, worker: int) -> None:
        """One worker's part: its lists, each after all have done the one before."""
        counts, place = self._counts, worker * _LINE
        lists = self._lists[worker]
        for number, calls in enumerate(lists):
            if number:
                self._wait(worker)
            for call in calls:
                call()
            self._done += 1
            counts[place] = self._done

    def _wait(self, worker: int) -> None:
        """Until all have done as much as this one."""
        counts, done = self._counts, self._done
        for other in range(0, len(self._lists) * _LINE, _LINE):
            looks = 0
            while counts[other] < done:
                looks += 1
                if looks > _EAGER:
                    self._check(worker)
                    os.sched_yield()
            if counts[other] == _FAILED:
                raise WorkerError("a worker failed")

    def _check(self, worker: int) -> None:
        """Raise WorkerError where one of those that are waited for is gone."""
        if worker:
            if os.getppid() != self._owner:
                raise WorkerError("the process is gone")
            return
        for pid in self._pids:
            try:
                gone = os.waitpid(pid, os.WNOHANG) != (0, 0)
            except ChildProcessError:  # someone else has waited for it
                gone = True
            if gone:
                self._pids.remove(pid)
                raise WorkerError("a worker is gone")


def _ended(pids: list[int], pipes: list[int], owner: int) -> None:
    """End copies; they hold nothing that would have to be put in order."""
    if os.getpid() != owner:
        return
    while pipes:
        os.close(pipes.pop())
    while pids:
        pid = pids.pop()
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
