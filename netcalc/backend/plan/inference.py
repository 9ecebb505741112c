"""Fast inference: a network prepared for one batch size."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import numpy as np

from netcalc.backend.engine import Engine
from netcalc.backend.inputs import Given
from netcalc.backend.kernels.base import Array
from netcalc.backend.memory import require_memory
from netcalc.backend.network import Network
from netcalc.backend.plan.calls import Call, Scratch
from netcalc.backend.plan.dependencies import Wait, waits
from netcalc.backend.plan.lowering import lowered
from netcalc.backend.workers import Share, Workers
from netcalc.layers import LayerError

Work = list[tuple[list[Wait], list[Call]]]
"""A worker's lists of calls, each with what it waits for."""


class InferencePlan(Engine):
    """A network's layers as NumPy calls for one batch size, on memory that is allocated once.

    Batch norms are folded into the weights before them, activations are applied in place, each convolution
    has its own algorithm, and threads share the work. The plan holds the weights as they were when it was
    made: after they change, make a new one.

        >>> plan = InferencePlan(network, batch=8)
        >>> y = plan.forward(np.zeros((8, 3, 224, 224)))

    `workers` threads share the work, by default as many as save time. After `close()` a run starts new ones.
    A network of half precision raises ExecutionError, and so does a plan larger than the machine's memory.
    """

    this: ClassVar[str] = "the plan"

    def __init__(self, network: Network, batch: int = 1, workers: int | None = None) -> None:
        batch = self.checked_batch(network, batch)
        self.program = program = lowered(network.graph, batch, network.precision.name, workers)
        what = f"the buffers of a plan of {network.graph.name} at batch {batch}"
        require_memory(program.arena_bytes, what)
        memory = program.memory()
        require_memory(memory.total, what)
        super().__init__(network, batch, program.workers)
        for operation in program.operations:
            node, norm = operation.stage.node, operation.stage.norm
            operation.prepare(network.arrays_of(node), {} if norm is None else network.arrays_of(norm))
        self._shared = np.zeros(program.shared_bytes, np.uint8)
        memories = [
            (np.empty(program.own_bytes, np.uint8), np.empty(memory.scratch, np.uint8))
            for _ in range(program.workers)
        ]
        lists = [self._lists(worker, *own) for worker, own in enumerate(memories)]
        self._work = [
            list(zip(*own, strict=True)) for own in zip(waits(lists, self._shared), lists, strict=True)
        ]

    def run(self, x: Given) -> dict[str, Array]:
        arrays = self._checked(x)
        with self._workers.lock:
            self._set_inputs(arrays)
            try:
                self._execute(partial(_run, self._work, self._workers), self.program.workers > 1)
            except LayerError:
                return self.network.run(arrays, gradients=False).outputs  # which raises the located error
            return {name: self._output(name) for name in self.program.graph.outputs}

    def __repr__(self) -> str:
        program = self.program
        size = f"batch {program.batch}, {len(program.operations)} operations, {program.workers} workers"
        return f"<InferencePlan of {program.graph.name}: {size}>"

    def _set_inputs(self, arrays: dict[str, Array]) -> None:
        """Copy the inputs to the memory that all workers share."""
        for name, array in arrays.items():
            tensor = self.program.tensors[name]
            whole = tensor.whole(self._shared, self.batch)
            tensor.inner(whole)[...] = array
            for side in tensor.borders(whole):
                side[...] = 0

    def _output(self, name: str) -> Array:
        tensor = self.program.tensors[self.program.holder[name]]
        inner = tensor.inner(tensor.whole(self._shared, self.batch))
        return tensor.natural(inner).copy()

    def _lists(self, worker: int, own: Array, scratch: Array) -> list[list[Call]]:
        """One worker's calls: a list for the batch-parallel operations, then one for each shared one."""
        program = self.program
        lists: list[list[Call]] = [[]]
        for number in range(len(program.operations)):
            if number >= program.batch_parallel:
                lists.append([])
            lists[-1] += self._calls(number, worker, own, scratch, program.shares(number)[worker])
        return lists

    def _calls(self, number: int, worker: int, own: Array, scratch: Array, share: Share) -> Iterator[Call]:
        program = self.program
        samples = program.samples(number)
        first = worker * samples if number < program.batch_parallel else 0
        operation = program.operations[number]
        output = operation.stage.output
        arrays = {}
        for name in (*program.reads[number], output):
            tensor = program.tensors[name]
            if tensor.shared:
                arrays[name] = tensor.whole(self._shared, program.batch)[first : first + samples]
            else:
                arrays[name] = tensor.whole(own, samples)
        tensor, whole = program.tensors[output], arrays[output]
        if any(map(any, tensor.halo)):
            for side in tensor.borders(whole, *operation.share(tensor.image(whole), share)):
                yield partial(np.copyto, side, 0)
        yield from program.calls(number, arrays, Scratch(scratch), share)


def _run(work: list[Work], workers: Workers, worker: int) -> None:
    """One worker's part of a run."""
    for before, calls in work[worker]:
        for other, lists in before:
            workers.wait(worker, other, lists)
        for call in calls:
            call()
        workers.advance(worker)
