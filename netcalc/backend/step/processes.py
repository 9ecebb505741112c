"""A team of forked processes over shared memory: Python's lock is nobody's but their own.

What all see is anonymous memory: it has no name, and goes with the last process. Between tasks the
copies sleep on a pipe, and end when it does. Within a task they meet by counting in shared memory, which
takes a microsecond where threads take some twenty.
"""

import mmap
import os
import pickle
import signal
import time
import warnings
import weakref
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe

import numpy as np
import numpy.typing as npt

from netcalc.backend.blas import blas_threads
from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.backend.step.team import Task, Team

_LINE = 8
"""Counters are so many apart, each in a cache line of its own."""
_LOOKS = 2000
"""Looks at another's counter before the processor is given away between looks."""


class NotAlone(Exception):
    """Another worker has failed: nobody is to wait for it."""


class Processes(Team):
    """Workers that are forks of this process, made when the tasks and all their arrays are."""

    within_process = False

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._worker = 0
        self._owner = os.getpid()
        self._counts = memoryview(mmap.mmap(-1, 8 * _LINE * (size + 1))).cast("q")
        self._failed = size * _LINE
        self._pipes: list[Connection] = []
        self._pids: list[int] = []
        self._end = weakref.finalize(self, _end, self._pipes, self._pids, self._owner)

    def zeros(self, shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        numbers = np.prod(shape, dtype=int)
        memory = mmap.mmap(-1, max(1, int(numbers) * np.dtype(dtype).itemsize))
        return np.frombuffer(memory, dtype, int(numbers)).reshape(shape)

    def begin(self, tasks: Sequence[Task]) -> None:
        super().begin(tasks)
        for worker in range(1, self.size):
            own, others = Pipe()
            with warnings.catch_warnings():  # other threads do not matter to a copy that only computes
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
            if pid == 0:
                for pipe in (*self._pipes, own):
                    pipe.close()
                self._worker = worker
                self._serve(others)
            others.close()
            self._pipes.append(own)
            self._pids.append(pid)

    def _serve(self, pipe: Connection) -> None:
        """What a copy does until its pipe ends; Ctrl-C is for the process that it copies."""
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            with blas_threads(1), np.errstate(all="ignore"):
                while True:
                    pipe.send_bytes(self._outcome(pipe.recv()))
        finally:
            os._exit(0)

    def _outcome(self, number: int) -> bytes:
        """Do a task; what failed, if something did."""
        try:
            self._tasks[number](self._worker)
        except NotAlone:
            return b""
        except BaseException as error:
            self._counts[self._failed] = 1
            with suppress(Exception):
                pickled = pickle.dumps(error)
                pickle.loads(pickled)
                return pickled
            return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
        return b""

    def join(self) -> None:
        counts, own = self._counts, self._worker * _LINE
        counts[own] += 1
        arrived = counts[own]
        for other in range(0, self._failed, _LINE):
            looks = 0
            while counts[other] < arrived:
                looks += 1
                if looks > _LOOKS:
                    self._look_after()
                    time.sleep(0)

    def _look_after(self) -> None:
        """Raise NotAlone where a worker has failed or is gone."""
        if self._counts[self._failed] or (self._worker and os.getppid() != self._owner):
            raise NotAlone
        for pid in () if self._worker else self._pids:
            if os.waitpid(pid, os.WNOHANG) != (0, 0):
                self._pids.remove(pid)
                raise NotAlone

    def run(self, number: int) -> None:
        errors: list[BaseException] = []
        try:
            for pipe in self._pipes:
                pipe.send(number)
            self._tasks[number](0)
        except BaseException as error:
            self._counts[self._failed] = 1
            errors.append(error)
        errors += self._others()
        if errors:
            for place in range(0, self._failed + 1, _LINE):
                self._counts[place] = 0
            raise next((error for error in errors if not isinstance(error, NotAlone)), errors[0])

    def _others(self) -> list[BaseException]:
        """What failed in the copies, once all have ended the task; an interrupt does not cut that short."""
        errors: list[BaseException] = []
        waiting = list(self._pipes)
        while waiting:
            try:
                outcome = waiting[0].recv_bytes()
            except KeyboardInterrupt as error:
                self._counts[self._failed] = 1
                errors.append(error)
                continue
            except (EOFError, OSError):
                self.close()
                refuse("E915", "a worker of the training step has been ended from outside")
            del waiting[0]
            if outcome:
                errors.append(pickle.loads(outcome))
        return errors

    def close(self) -> None:
        self._end()


def _end(pipes: list[Connection], pids: list[int], owner: int) -> None:
    """End the copies; they hold nothing that would have to be put in order."""
    if os.getpid() != owner:
        return
    for pipe in pipes:
        pipe.close()
    for pid in pids:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
