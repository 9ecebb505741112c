"""A training step: a network laid out for one batch, then run forward and backward again and again."""

from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from netcalc.backend.blas import blas_threads
from netcalc.backend.errors import refuse
from netcalc.backend.inputs import Given, checked_inputs, token_inputs
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.memory import forward_bytes, require_memory
from netcalc.backend.network import Network
from netcalc.backend.passes import Grads, checked_upstream
from netcalc.backend.step.base import Workshop
from netcalc.backend.step.laying import Backward, Forward
from netcalc.backend.step.storage import kept, natural
from netcalc.backend.step.team import Task, Team, shares

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
    is shared out to `workers` threads, one a processor unless given, which end with the step.

    Raises ExecutionError where the buffers would be more than the machine's memory.
    """

    def __init__(
        self, network: Network, batch: int, *, input_gradients: bool = False, workers: int | None = None
    ) -> None:
        if network.precision.is_half:
            refuse("E913", f"a training step computes in float32 or float64, not in {network.precision.name}")
        if batch < 1:
            refuse("E902", f"a training step is for a batch of 1 or more, not of {batch}")
        if workers is not None and not 1 <= workers <= batch:
            raise ValueError(f"{workers} workers cannot share a batch of {batch}")
        graph = network.graph
        needed = _KEPT * forward_bytes(graph, batch, network.dtype.itemsize, gradients=True)
        require_memory(needed, f"the buffers of a training step of {graph.name} at batch {batch}")
        parts = shares(batch, workers)
        self._shop = shop = Workshop(network, Team(len(parts)), parts)
        self._forward = Forward(shop)
        wanted = [given.name for given in graph.inputs] if input_gradients else []
        tokens = token_inputs(graph)
        self._backward = Backward(shop, self._forward, [name for name in wanted if name not in tokens])
        self._outputs: dict[str, Array] = {}
        self._closed = False

    def forward(self, x: Given) -> Array | dict[str, Array]:
        """The output N,..., or a dict of them by name where there are several."""
        self._outputs = {}
        network, batch = self._shop.network, self._shop.batch
        given = checked_inputs(network.graph, x, network.precision)
        for name, array in given.items():
            if len(array) != batch:
                refuse("E902", f"the input {name} has a batch of {len(array)}, this step is for {batch}")
        self._shop.draw = network.next_draw()
        types = network.graph.types
        outputs = {name: self._shop.zeros((batch, *types[name].shape)) for name in network.graph.outputs}
        self._run(partial(self._run_forward, given, outputs))
        self._outputs = outputs
        return next(iter(self._outputs.values())) if len(self._outputs) == 1 else self._outputs

    def backward(self, upstream: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None) -> Grads:
        """The gradients for an upstream gradient of the output, or of each by name; ones unless given.

        Once after each forward, whose results it writes over. Those of the inputs are None unless this
        step was made to give them.
        """
        if not self._outputs:
            refuse("E909", "a way back follows a forward of the same training step, once")
        given = checked_upstream(self._outputs, upstream, self._shop.network.precision)
        self._outputs = {}
        self._run(partial(self._run_backward, given))
        graph, values = self._shop.network.graph, self._forward.values
        inputs: dict[str, Array | None] = dict.fromkeys(given.name for given in graph.inputs)
        for name, parts in self._backward.inputs.items():
            inputs[name] = np.concatenate([natural(part, values[name].rank) for part in parts])
        return Grads(inputs, dict(self._forward.gradients.named))

    def _run(self, task: Task) -> None:
        if self._closed:
            refuse("E909", "this training step is closed: its workers are gone")
        with blas_threads(1), np.errstate(all="ignore"):
            self._shop.team.run(task)

    def _run_forward(self, given: Arrays, outputs: Arrays, worker: int) -> None:
        share, values = self._shop.shares[worker], self._forward.values
        for name, array in given.items():
            np.copyto(values[name].parts[worker], kept(array[share]))
        for step in self._forward.steps:
            step.forward(worker)
        for name, output in outputs.items():
            np.copyto(output[share], natural(values[name].parts[worker], values[name].rank))

    def _run_backward(self, upstream: Arrays, worker: int) -> None:
        share = self._shop.shares[worker]
        for name, parts in self._backward.upstream.items():
            np.copyto(parts[worker], kept(upstream[name][share]) if name in upstream else 0)
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
