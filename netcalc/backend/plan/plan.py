"""A network made ready for one batch size: fast inference."""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from netcalc.backend.blas import blas_threads
from netcalc.backend.convolution.base import Call, Scratch
from netcalc.backend.errors import refuse
from netcalc.backend.inputs import Given, checked_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.memory import require_memory
from netcalc.backend.plan.crew import Crew, WorkerError, can_fork, shared_memory, usable_cores
from netcalc.backend.plan.drafting import Draft, draft
from netcalc.backend.plan.steps import Part
from netcalc.graph import Graph
from netcalc.layers import LayerError

if TYPE_CHECKING:
    from netcalc.backend.network import Network

DTYPES = ("float32", "float64")
_MOST_WORKERS = 8
_LEAST_MACS = 2_000_000
"""Multiply-adds of a batch that pay for waking a second worker."""


def drafted(graph: Graph, batch: int, dtype: str, workers: int | None = None) -> Draft:
    """The plan on paper, for `workers` processes; as many as pay unless given."""
    if dtype not in DTYPES:
        refuse("E913", f"a plan computes in {' or '.join(DTYPES)}, not in {dtype}")
    if batch < 1:
        refuse("E902", f"a plan is for a batch of 1 or more, not of {batch}: there is no sample to run")
    if workers is not None and workers < 1:
        raise ValueError(f"a plan needs a worker, not {workers}")
    if not can_fork():
        return draft(graph, batch, 1, dtype)
    if workers is not None:
        return draft(graph, batch, workers, dtype)
    made = draft(graph, batch, min(usable_cores(), _MOST_WORKERS), dtype)
    return made if made.workers == 1 or _pays(made) else draft(graph, batch, 1, dtype)


def _pays(made: Draft) -> bool:
    """Whether more than one worker pays: there is much to do, and it can be shared out."""
    graph = made.graph
    every = shared_out = 0
    for number, step in enumerate(made.steps):
        node = step.stage.node
        macs = node.layer.cost(graph.input_types(node), node.output).macs
        every += macs
        shared_out += macs if step.is_fast or number < made.apart else 0
    return every * made.batch >= _LEAST_MACS and shared_out * 2 > every


class Plan:
    """A network's layers as NumPy calls for one batch size, on memory that is laid out once.

    Batch norms are part of the weights before them, activations follow in place, each convolution has its
    algorithm, and processes share the work. It holds the weights as they were when it was made.

        >>> plan = network.compile(batch=8)
        >>> y = plan.forward(np.zeros((8, 3, 224, 224)))

    A context manager; without one its workers end with it.
    """

    def __init__(self, network: "Network", batch: int, workers: int | None = None) -> None:
        self.network = network
        self.batch = batch
        self.draft = made = drafted(network.graph, batch, network.precision.name, workers)
        what = f"the buffers of a plan of {network.graph.name} at batch {batch}"
        require_memory(made.arena_bytes, what)
        sizes = made.sizes()
        require_memory(sizes.total, what)
        for step in made.steps:
            node, norm = step.stage.node, step.stage.norm
            step.prepare(network.arrays_of(node), {} if norm is None else network.arrays_of(norm))
        self._lock = Lock()
        self._shared = shared_memory(made.shared_bytes)
        memories = [
            (np.empty(made.own_bytes, np.uint8), np.empty(sizes.scratch, np.uint8))
            for _ in range(made.workers)
        ]
        self._crew = Crew([self._lists(worker, *memory) for worker, memory in enumerate(memories)])

    def forward(self, x: Given) -> Array | dict[str, Array]:
        """The output for an input N,C,... of the plan's batch, or a dict of them where there are several.

        Raises ExecutionError for inputs that do not fit.
        """
        outputs = self.run(x)
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def run(self, x: Given) -> dict[str, Array]:
        """The outputs by name, as `forward`."""
        made = self.draft
        arrays = checked_inputs(made.graph, x, self.network.precision)
        for name, array in arrays.items():
            if len(array) != self.batch:
                refuse("E902", f"the input {name} has a batch of {len(array)}, the plan is for {self.batch}")
        with self._lock:
            self._take(arrays)
            try:
                with blas_threads(1) if made.workers > 1 else nullcontext(), np.errstate(all="ignore"):
                    self._crew.run()
            except (WorkerError, LayerError):
                return self.network.run(arrays, gradients=False).outputs  # it says what is wrong, if anything
            return {name: self._output(name) for name in made.graph.outputs}

    def close(self) -> None:
        """End the workers; a later run starts them again."""
        self._crew.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        made = self.draft
        size = f"batch {made.batch}, {len(made.steps)} steps, {made.workers} workers"
        return f"<Plan of {made.graph.name}: {size}>"

    def _take(self, arrays: dict[str, Array]) -> None:
        """Put the inputs where the workers see them."""
        for name, array in arrays.items():
            tensor = self.draft.tensors[name]
            whole = tensor.whole(self._shared, self.batch)
            tensor.inner(whole)[...] = array
            for side in tensor.borders(whole):
                side[...] = 0

    def _output(self, name: str) -> Array:
        tensor = self.draft.tensors[self.draft.holder[name]]
        inner = tensor.inner(tensor.whole(self._shared, self.batch))
        return tensor.natural(inner).copy()

    def _lists(self, worker: int, own: Array, scratch: Array) -> list[list[Call]]:
        """One worker's calls: a list for all that it does alone, then one for each step done together."""
        made = self.draft
        lists: list[list[Call]] = [[]]
        for number in range(len(made.steps)):
            if number >= made.apart:
                lists.append([])
            lists[-1] += self._calls(number, worker, own, scratch, made.parts(number)[worker])
        return lists

    def _calls(self, number: int, worker: int, own: Array, scratch: Array, part: Part) -> Iterator[Call]:
        made = self.draft
        share = made.batch // made.workers if number < made.apart else made.batch
        first = worker * share if number < made.apart else 0
        output = made.steps[number].stage.output
        views = {}
        for name in (*made.reads[number], output):
            tensor = made.tensors[name]
            if tensor.shared:
                views[name] = tensor.whole(self._shared, made.batch)[first : first + share]
            else:
                views[name] = tensor.whole(own, share)
        if part.is_first:
            for side in made.tensors[output].borders(views[output]):
                yield partial(np.copyto, side, 0)
        yield from made.calls(number, views, Scratch(scratch), part)
