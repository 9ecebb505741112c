"""A training step: a network laid out for one batch, then run forward and backward again and again."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from netcalc.backend.errors import refuse
from netcalc.backend.inputs import Given, checked_inputs, token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.memory import forward_bytes, require_memory
from netcalc.backend.network import Network
from netcalc.backend.passes import Grads, checked_upstream
from netcalc.backend.step.base import Workshop
from netcalc.backend.step.laying import Backward, Forward
from netcalc.backend.step.storage import kept, natural
from netcalc.backend.step.team import Team, shares

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
    is shared out to `workers` threads, one a processor unless given.

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
        require_memory(needed, f"a training step of {graph.name} at batch {batch}")
        parts = shares(batch, workers)
        self._shop = Workshop(network, Team(len(parts)), parts)
        self._forward = Forward(self._shop)
        wanted = [given.name for given in graph.inputs] if input_gradients else []
        tokens = token_inputs(graph)
        self._backward = Backward(self._shop, self._forward, [name for name in wanted if name not in tokens])
        self._outputs: dict[str, Array] = {}

    def forward(self, x: Given) -> Array | dict[str, Array]:
        """The output N,..., or a dict of them by name where there are several."""
        network = self._shop.network
        arrays = checked_inputs(network.graph, x, network.dtype)
        for name, array in arrays.items():
            if len(array) != self._shop.batch:
                refuse(
                    "E802",
                    f"the input {name} has a batch of {len(array)}, this step is for {self._shop.batch}",
                )
        self._outputs = {}
        self._shop.draw = network.next_draw()
        values = self._forward.values
        outputs = {
            name: np.empty((self._shop.batch, *values[name].layout.shape), network.dtype)
            for name in network.graph.outputs
        }

        def run(worker: int) -> None:
            share = self._shop.shares[worker]
            for name, array in arrays.items():
                np.copyto(values[name].parts[worker], kept(array[share]))
            for step in self._forward.steps:
                step.forward(worker)
            for name, output in outputs.items():
                output[share] = natural(values[name].parts[worker], values[name].rank)

        self._shop.team.run(run)
        self._outputs = outputs
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def backward(self, upstream: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None) -> Grads:
        """The gradients for an upstream gradient of the output, or of each by name; ones unless given.

        Once after each forward, whose results it writes over. Those of the inputs are None unless this
        step was made to give them.
        """
        if not self._outputs:
            refuse("E809", "a way back follows a forward of the same training step, once")
        given = checked_upstream(self._outputs, upstream)
        self._outputs = {}

        def run(worker: int) -> None:
            share = self._shop.shares[worker]
            for name, parts in self._backward.upstream.items():
                np.copyto(parts[worker], kept(given[name][share]) if name in given else 0)
            for step in self._backward.runs:
                step(worker)
            self._forward.gradients.sum(worker)

        self._shop.team.run(run)
        inputs: dict[str, Array | None] = dict.fromkeys(
            given.name for given in self._shop.network.graph.inputs
        )
        for name, parts in self._backward.inputs.items():
            inputs[name] = np.concatenate([natural(part, self._forward.values[name].rank) for part in parts])
        return Grads(inputs, dict(self._forward.gradients.named))

    def close(self) -> None:
        """Let the workers go; the step can run no more."""
        self._shop.team.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
