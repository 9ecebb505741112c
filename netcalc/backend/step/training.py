"""A training step: a network laid out for one batch, then run forward and backward again and again."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from netcalc.backend.blas import blas_threads
from netcalc.backend.errors import refuse
from netcalc.backend.inputs import Given, checked_inputs, token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.memory import forward_bytes, require_memory
from netcalc.backend.network import Network
from netcalc.backend.passes import Grads, checked_upstream
from netcalc.backend.step.base import Workshop
from netcalc.backend.step.laying import Backward, Forward
from netcalc.backend.step.processes import Processes
from netcalc.backend.step.storage import kept, natural
from netcalc.backend.step.team import Team, can_fork, shares
from netcalc.backend.step.threads import Threads

_FORWARD, _BACKWARD = range(2)
"""The tasks of the workers, by number."""
_KEPT = 3
"""Tensors as large as the outputs that a step keeps at most, for each: outputs, what is kept, gradients."""


class TrainingStep:
    """Forward in training mode and backward for batches of one size, fast.

        >>> step = TrainingStep(network, batch=64)
        >>> loss, dy = cross_entropy(step.forward(x), labels)
        >>> grads = step.backward(dy)

    The parameters are the network's own arrays: what changes them in place, an optimiser or `load`,
    changes the next forward, and running statistics move as in a plain run. Results equal those of
    `Network.forward(training=True)` up to rounding, random numbers included.

    All buffers are made here, once; the gradients given are overwritten by the next backward. The batch
    is shared out to `workers` processes, one a processor unless given: forks of this one over shared memory,
    or threads where there is no fork.

    Raises ExecutionError where the buffers would be more than the machine's memory.
    """

    def __init__(
        self, network: Network, batch: int, *, input_gradients: bool = False, workers: int | None = None
    ) -> None:
        if network.dtype.itemsize < 4:
            raise ValueError(f"a training step is in float32 or float64, not {network.dtype}")
        if batch < 1 or (workers is not None and not 1 <= workers <= batch):
            raise ValueError(f"{workers} workers cannot share a batch of {batch}")
        graph = network.graph
        needed = _KEPT * forward_bytes(graph, batch, network.dtype.itemsize, gradients=True)
        require_memory(needed, f"the buffers of a training step of {graph.name} at batch {batch}")
        parts = shares(batch, workers)
        team = _team(len(parts))
        self._shop = shop = Workshop(network, team, parts)
        self._forward = Forward(shop)
        wanted = [given.name for given in graph.inputs] if input_gradients else []
        tokens = token_inputs(graph)
        self._backward = Backward(shop, self._forward, [name for name in wanted if name not in tokens])
        values = self._forward.values
        self._given = {
            given.name: team.zeros((batch, *given.type.shape), values[given.name].buffers[0].dtype)
            for given in graph.inputs
        }
        self._taken, self._upstream = (
            {name: shop.zeros((batch, *values[name].layout.shape)) for name in graph.outputs} for _ in "yd"
        )
        self._outputs: dict[str, Array] = {}
        self._closed = False
        team.begin([self._run_forward, self._run_backward])

    def forward(self, x: Given) -> Array | dict[str, Array]:
        """The output N,..., or a dict of them by name where there are several."""
        self._outputs = {}
        network = self._shop.network
        for name, array in checked_inputs(network.graph, x, network.dtype).items():
            if len(array) != self._shop.batch:
                found, batch = len(array), self._shop.batch
                refuse("E902", f"the input {name} has a batch of {found}, this step is for {batch}")
            np.copyto(self._given[name], array)
        self._shop.draw = network.next_draw()
        self._forward.parameters.refresh()
        self._run(_FORWARD)
        self._outputs = {name: taken.copy() for name, taken in self._taken.items()}
        return next(iter(self._outputs.values())) if len(self._outputs) == 1 else self._outputs

    def backward(self, upstream: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None) -> Grads:
        """The gradients for an upstream gradient of the output, or of each by name; ones unless given.

        Once after each forward, whose results it writes over. Those of the inputs are None unless this
        step was made to give them.
        """
        if not self._outputs:
            refuse("E909", "a way back follows a forward of the same training step, once")
        given = checked_upstream(self._outputs, upstream)
        self._outputs = {}
        for name, own in self._upstream.items():
            np.copyto(own, given.get(name, 0))
        self._run(_BACKWARD)
        graph, values = self._shop.network.graph, self._forward.values
        inputs: dict[str, Array | None] = dict.fromkeys(given.name for given in graph.inputs)
        for name, parts in self._backward.inputs.items():
            inputs[name] = np.concatenate([natural(part, values[name].rank) for part in parts])
        return Grads(inputs, dict(self._forward.gradients.named))

    def _run(self, task: int) -> None:
        if self._closed:
            refuse("E909", "this training step is closed: its workers are gone")
        with blas_threads(1), np.errstate(all="ignore"):
            self._shop.team.run(task)

    def _run_forward(self, worker: int) -> None:
        share, values = self._shop.shares[worker], self._forward.values
        for name, array in self._given.items():
            np.copyto(values[name].parts[worker], kept(array[share]))
        for step in self._forward.steps:
            step.forward(worker)
        for name, taken in self._taken.items():
            np.copyto(taken[share], natural(values[name].parts[worker], values[name].rank))

    def _run_backward(self, worker: int) -> None:
        share = self._shop.shares[worker]
        for name, parts in self._backward.upstream.items():
            np.copyto(parts[worker], kept(self._upstream[name][share]))
        for run in self._backward.runs:
            run(worker)
        self._forward.gradients.sum(worker)

    def close(self) -> None:
        """Let the workers go; the step can run no more."""
        self._closed = True
        self._shop.team.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _team(size: int) -> Team:
    """Processes where they can share memory, as the quickest to meet, otherwise threads."""
    if size == 1:
        return Team()
    return Processes(size) if can_fork() else Threads(size)
