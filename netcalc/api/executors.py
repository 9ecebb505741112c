"""Where the variants of a sweep are counted: in this process, or in processes of its own.

An executor comes with how many variants are submitted together, and how many submissions run at a time.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from operator import methodcaller
from typing import Any, NamedTuple, TypeVar

from netcalc.diagnostics import ArgumentError, Diagnostic, ExecutionError

Result = TypeVar("Result")

_LARGEST_CHUNK = 16
"""Most variants in one submission, so that sending them costs less than counting them."""

_MOST_ON_WINDOWS = 61
"""Most processes that Windows lets one process wait for; ProcessPoolExecutor refuses more there."""


class SweepExecutor(NamedTuple):
    """An executor, how many variants it takes in one chunk, and how many chunks are in flight at most."""

    executor: Executor
    chunk: int = 1
    in_flight: int = 1
    result: Callable[[Future[Any]], Any] = methodcaller("result")
    """Waits for the result of a future."""
    faults: tuple[type[Exception], ...] = ()
    """What a result raises where the executor fails, rather than the work."""

    def watched(self, results: Iterable[Result], help: str) -> Iterator[Result]:
        """The results; an ExecutionError with a help where the processes that count are lost."""
        try:
            yield from results
        except self.faults as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            message = f"the processes that counted are lost: {reason}"
            raise ExecutionError([Diagnostic("E914", message, help=help)]) from None


@contextmanager
def local_executor(jobs: int, variants: int) -> Iterator[SweepExecutor]:
    """This process, or so many processes; those are ended, at once when interrupted.

    Raises ArgumentError in a process that may not start others.
    """
    if jobs > 1:
        if multiprocessing.current_process().daemon:
            message = "this process starts no others, as it is a worker of a pool; count in it, with jobs=1"
            raise ArgumentError("jobs", message)
        with _processes(jobs, variants) as found:
            yield found
    else:
        yield SweepExecutor(_InlineExecutor())


class _InlineExecutor(Executor):
    """Runs work in this process, when it is submitted."""

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        future: Future[Result] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class _ProcessExecutor(ProcessPoolExecutor):
    """Starts processes that ignore Ctrl-C: the parent ends them."""

    def terminate(self) -> None:
        """End its processes at once, and no others."""
        started = [*(self._processes or {}).values()]
        self.shutdown(wait=False, cancel_futures=True)
        for process in started:
            process.terminate()

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        if sys.platform != "win32" and hasattr(signal, "pthread_sigmask"):
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # new processes inherit it
            try:
                return super().submit(fn, *args, **kwargs)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return super().submit(fn, *args, **kwargs)


@contextmanager
def _processes(jobs: int, variants: int) -> Iterator[SweepExecutor]:
    # started afresh rather than forked: the progress bar has a thread, which no fork survives
    context = multiprocessing.get_context("spawn")
    jobs = min(jobs, _MOST_ON_WINDOWS) if sys.platform == "win32" else jobs
    executor = _ProcessExecutor(jobs, mp_context=context, initializer=_prepare)
    try:
        yield SweepExecutor(executor, chunk_size(variants, jobs), 4 * jobs, faults=(BrokenExecutor,))
    except BaseException:
        executor.terminate()
        raise
    executor.shutdown()


def _prepare() -> None:
    """Make a new process ignore Ctrl-C, and end when its parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def chunk_size(variants: int, cores: int) -> int:
    """The size of a chunk: small enough to keep every core busy until the end."""
    return max(1, min(_LARGEST_CHUNK, variants // (4 * cores)))
