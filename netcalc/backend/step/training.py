"""A training step: a network prepared for one batch size, run forward and backward again and again."""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from netcalc.backend.engine import Engine
from netcalc.backend.errors import refuse
from netcalc.backend.inputs import Given, token_inputs
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.memory import forward_bytes, require_memory
from netcalc.backend.network import Network
from netcalc.backend.passes import Grads, checked_upstream
from netcalc.backend.step.buffers import natural, stored
from netcalc.backend.step.lowering import BackwardProgram, ForwardProgram, active_layers
from netcalc.backend.step.operations import Runtime
from netcalc.backend.workers import Task, sample_shares

_TENSORS = 3
"""Tensors of each output's size that a step holds at most: the output, a saved tensor, the gradient."""


class TrainingStep(Engine):
    """Forward in training mode and backward for batches of one size, fast.

        >>> step = TrainingStep(network, batch=64)
        >>> loss, dy = CrossEntropy()(step.forward(x), labels)
        >>> grads = step.backward(dy)

    The parameters are the network's own arrays: when an optimiser or `load` changes them in place, the
    next forward uses the new values. Running statistics move as in `Network.forward(training=True)`, frozen
    layers upstream of all that are trained have no buffers for backward, and
    the results, random numbers included, are equal to its up to rounding.

    All buffers are allocated here; the next backward overwrites the gradients that were returned. The batch
    is shared by `workers` threads, by default one a core, which end with the step. After `close()` the step
    cannot run any more.

    Raises ExecutionError where the buffers would be more than the machine's memory.
    """

    this: ClassVar[str] = "this step"

    def __init__(
        self, network: Network, batch: int, *, input_gradients: bool = False, workers: int | None = None
    ) -> None:
        batch = self.checked_batch(network, batch)
        if network.precision.is_half:
            refuse("E913", f"a training step computes in float32 or float64, not in {network.precision.name}")
        if batch < 1:
            refuse("E902", f"a training step is for a batch of 1 or more, not of {batch}")
        if workers is not None and not 1 <= workers <= batch:
            raise ValueError(f"{workers} workers cannot share a batch of {batch}")
        graph = network.graph
        tokens = token_inputs(graph)
        wanted = [given.name for given in graph.inputs if input_gradients and given.name not in tokens]
        active = active_layers(graph, wanted)
        needed = _TENSORS * forward_bytes(graph, batch, network.dtype.itemsize, active)
        require_memory(needed, f"the buffers of a training step of {graph.name} at batch {batch}")
        shares = sample_shares(batch, workers)
        super().__init__(network, batch, len(shares))
        self._runtime = runtime = Runtime(network, self._workers, shares)
        self._forward = ForwardProgram(runtime, active)
        self._backward = BackwardProgram(runtime, self._forward, active, wanted)
        self._outputs: dict[str, Array] = {}
        self._closed = False

    def run(self, x: Given) -> dict[str, Array]:
        given = self._checked(x)
        types = self.network.graph.types
        outputs = {
            name: np.empty((self.batch, *types[name].shape), self._runtime.dtype)
            for name in self.network.graph.outputs
        }
        with self._workers.lock:
            self._outputs = {}
            self._runtime.draw = self.network.next_draw()
            self._train(partial(self._run_forward, given, outputs))
            self._outputs = outputs
        return dict(outputs)

    def backward(self, upstream: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None) -> Grads:
        """The gradients for an upstream gradient of the output, or of each by name; ones unless given.

        Once after each forward, whose results it overwrites. The gradients of the inputs are None unless
        the step was made with `input_gradients`.
        """
        with self._workers.lock:
            if not self._outputs:
                refuse("E909", "backward follows a forward of the same step, once: call forward first")
            given = checked_upstream(self._outputs, upstream, self.network.precision)
            self._outputs = {}
            self._train(partial(self._run_backward, given))
            graph, tensors = self.network.graph, self._forward.tensors
            inputs: dict[str, Array | None] = dict.fromkeys(given.name for given in graph.inputs)
            for name, parts in self._backward.inputs.items():
                inputs[name] = np.concatenate([natural(part, tensors[name].rank) for part in parts])
            return Grads(inputs, dict(self._forward.gradients.named))

    def close(self) -> None:
        """End the worker threads; the step cannot run any more."""
        self._closed = True
        super().close()

    def _train(self, task: Task) -> None:
        if self._closed:
            refuse("E917", "this training step is closed: its workers are gone")
        self._execute(task, single_blas=True)

    def _run_forward(self, given: Arrays, outputs: Arrays, worker: int) -> None:
        share, tensors = self._runtime.shares[worker], self._forward.tensors
        for name, array in given.items():
            np.copyto(tensors[name].parts[worker], stored(array[share]))
        for operation in self._forward.operations:
            operation.forward(worker)
        for name, output in outputs.items():
            np.copyto(output[share], natural(tensors[name].parts[worker], tensors[name].rank))

    def _run_backward(self, upstream: Arrays, worker: int) -> None:
        share = self._runtime.shares[worker]
        for name, parts in self._backward.upstream.items():
            np.copyto(parts[worker], stored(upstream[name][share]) if name in upstream else 0)
        for run in self._backward.runs:
            run(worker)
        self._forward.gradients.sum(worker)
