"""Where long work is done: in this process, in local ones, or on a Dask cluster; one interface for all.

Each executor comes with how much is put under way at a time.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from operator import methodcaller
from typing import Any, NamedTuple, TypeVar

import typer

from netcalc.diagnostics import Diagnostic, ExecutionError

Result = TypeVar("Result")

_LARGEST_CHUNK = 16
"""Variants that travel together, so that their way there and back costs less than counting them."""

_WAITING = 30
"""Seconds that a cluster has to answer, to find its first worker, and to find one again when all are gone."""

_BETWEEN_LOOKS = 1
"""Seconds between two looks at which workers a cluster has."""


class Crew(NamedTuple):
    """An executor, how many variants go to it together, and how many chunks are under way at most."""

    executor: Executor
    chunk: int = 1
    in_flight: int = 1
    result: Callable[[Future[Any]], Any] = methodcaller("result")
    """Waits for what a future gives."""
    faults: tuple[type[Exception], ...] = ()
    """What its results raise when it fails, rather than what it does."""

    def watched(self, results: Iterable[Result]) -> Iterator[Result]:
        """The results, with a clear word where the workers are lost."""
        try:
            yield from results
        except self.faults as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            message = f"the processes that counted are lost: {reason}"
            help = "the same command goes on where its --output ends"
            raise ExecutionError([Diagnostic("E914", message, help=help)]) from None


@contextmanager
def crew(jobs: int, scheduler: str, variants: int) -> Iterator[Crew]:
    """The executor that was asked for; ends what it started, at once when interrupted."""
    if scheduler:
        with _cluster(scheduler, variants) as found:
            yield found
    elif jobs > 1:
        with _processes(jobs, variants) as found:
            yield found
    else:
        yield Crew(_Here())


class _Here(Executor):
    """Does the work when it is submitted."""

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        future: Future[Result] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class _Processes(ProcessPoolExecutor):
    """Starts its processes where Ctrl-C does not reach them: the parent ends them."""

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        if not hasattr(signal, "pthread_sigmask"):
            return super().submit(fn, *args, **kwargs)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # what is started inherits it
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _processes(jobs: int, variants: int) -> Iterator[Crew]:
    # started afresh rather than forked: the progress bar has a thread, which no fork survives
    context = multiprocessing.get_context("spawn")
    executor = _Processes(jobs, mp_context=context, initializer=_prepare)
    try:
        yield Crew(executor, _chunk(variants, jobs), 4 * jobs, faults=(BrokenExecutor,))
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    executor.shutdown()


def _prepare() -> None:
    """Make a new process leave Ctrl-C to its parent, and end when its parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def _cluster(address: str, variants: int) -> Iterator[Crew]:
    try:
        from distributed import Client
        from distributed.comm.addressing import parse_address, parse_host_port
    except ImportError:
        message = "a cluster needs Dask: pip install 'netcalc[dask]'."
        raise typer.BadParameter(message, param_hint="--scheduler") from None
    try:
        scheme, place = parse_address(address)
        if scheme in ("tcp", "tls"):
            parse_host_port(place)  # a connection would be tried again and again
        client = Client(address, timeout=_WAITING, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        message = f"no scheduler answers at {address}: {reason}"
        raise typer.BadParameter(message, param_hint="--scheduler") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_WAITING)
        except TimeoutError:
            message = f"the scheduler at {address} has no workers."
            raise typer.BadParameter(message, param_hint="--scheduler") from None
        cores = sum(client.ncores().values())
        executor = client.get_executor(pure=False)
        try:
            yield Crew(executor, _chunk(variants, cores), 4 * cores, _Patience(client.ncores), (Exception,))
        finally:
            executor.shutdown(wait=False)


class _Patience:
    """Waits for futures of a cluster as long as it has workers, or finds some again."""

    def __init__(self, workers: Callable[[], Mapping[str, int]]) -> None:
        self._workers = workers

    def __call__(self, future: Future[Result]) -> Result:
        """What a future gives; raises TimeoutError where there have been no workers for a while."""
        last_seen = time.monotonic()
        while not wait([future], _BETWEEN_LOOKS).done:
            if self._workers():
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > _WAITING:
                raise TimeoutError(f"the cluster has had no workers for {_WAITING} seconds")
        return future.result()


def _chunk(variants: int, cores: int) -> int:
    """Small enough that every core has something to do until the end."""
    return max(1, min(_LARGEST_CHUNK, variants // (4 * cores)))
