"""Executors of a sweep: this process, local processes, or a Dask cluster, behind one interface."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import TypeVar

import typer

from netcalc.api.executors import SweepExecutor, chunk_size, local_executor
from netcalc.diagnostics import extra_help

Result = TypeVar("Result")

_WAITING = 30
"""Seconds that a cluster has to answer, to have its first worker, and to replace lost workers."""

_BETWEEN_LOOKS = 1
"""Seconds between two checks of a cluster's workers."""


@contextmanager
def sweep_executor(jobs: int, scheduler: str, variants: int) -> Iterator[SweepExecutor]:
    """The executor asked for. Ends the processes that it started, at once when interrupted."""
    with _cluster(scheduler, variants) if scheduler else local_executor(jobs, variants) as found:
        yield found


@contextmanager
def _cluster(address: str, variants: int) -> Iterator[SweepExecutor]:
    try:
        from distributed import Client
        from distributed.comm.addressing import parse_address, parse_host_port
    except ImportError:
        message = f"a cluster needs Dask: {extra_help('dask')}."
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
            yield SweepExecutor(
                executor, chunk_size(variants, cores), 4 * cores, _ClusterResults(client.ncores), (Exception,)
            )
        finally:
            executor.shutdown(wait=False)


class _ClusterResults:
    """Waits for futures of a cluster while it has workers."""

    def __init__(self, workers: Callable[[], Mapping[str, int]]) -> None:
        self._workers = workers

    def __call__(self, future: Future[Result]) -> Result:
        """The result of a future; TimeoutError where the cluster has had no workers for a while."""
        last_seen = time.monotonic()
        while not wait([future], _BETWEEN_LOOKS).done:
            if self._workers():
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > _WAITING:
                raise TimeoutError(f"the cluster has had no workers for {_WAITING} seconds")
        return future.result()
