"""What the inference plan and the training step share: a network, a fixed batch size, worker threads."""

from contextlib import nullcontext
from types import TracebackType
from typing import ClassVar, Self

import numpy as np

from netcalc.backend.blas import single_blas_thread
from netcalc.backend.errors import refuse
from netcalc.backend.inputs import Given, checked_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.network import Network
from netcalc.backend.workers import Task, Workers
from netcalc.diagnostics import type_name, whole_number


class Engine:
    """A network prepared for one batch size, whose layers run on worker threads.

    A context manager; the threads end with it, with `close()`, or with the engine itself.
    """

    this: ClassVar[str]
    """What messages call it."""

    def __init__(self, network: Network, batch: int, workers: int) -> None:
        self.network = network
        self.batch = batch
        self._workers = Workers(workers)

    @classmethod
    def checked_batch(cls, network: Network, batch: int) -> int:
        """The batch size as an int; raises TypeError and ArgumentError for arguments of other types."""
        if not isinstance(network, Network):
            raise TypeError(f"{cls.__name__} takes a Network, not {type_name(network)}")
        return whole_number("batch", batch)

    def forward(self, x: Given) -> Array | dict[str, Array]:
        """The output for an input N,C,... of the engine's batch size, or a dict of them if there are several.

        Raises ExecutionError for inputs that do not fit.
        """
        outputs = self.run(x)
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def run(self, x: Given) -> dict[str, Array]:
        """The outputs by name, as `forward`."""
        raise NotImplementedError

    def close(self) -> None:
        """End the worker threads."""
        self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _checked(self, x: Given) -> dict[str, Array]:
        """The input arrays by name; raises ExecutionError unless they fit the network and the batch size."""
        arrays = checked_inputs(self.network.graph, x, self.network.precision)
        for name, array in arrays.items():
            if len(array) != self.batch:
                refuse(
                    "E902", f"the input {name} has a batch of {len(array)}, {self.this} is for {self.batch}"
                )
        return arrays

    def _execute(self, task: Task, single_blas: bool) -> None:
        """Run a task on every worker, each matrix product on one thread where `single_blas`."""
        with single_blas_thread() if single_blas else nullcontext(), np.errstate(all="ignore"):
            self._workers.run(task)
