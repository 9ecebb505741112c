"""Lowers a graph to a program: operations, layouts, halos and places in memory, without an array."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.inputs import token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.buffers import PlannedTensor, place
from netcalc.backend.plan.calls import Call, Scratch, unallocated
from netcalc.backend.plan.convolution.operation import FusedConvolution
from netcalc.backend.plan.elementwise import Merge, UnfusedActivation
from netcalc.backend.plan.fallback import KernelFallback
from netcalc.backend.plan.fusion import FusedStage, fused_stages
from netcalc.backend.plan.linear import FusedLinear
from netcalc.backend.plan.normalisation import ScaleAndShift
from netcalc.backend.plan.operations import InferenceOperation, Operands, Placement
from netcalc.backend.plan.pooling import GlobalAverage, WindowPooling
from netcalc.backend.plan.shape import ChannelConcat, Copy
from netcalc.backend.workers import Share, cores
from netcalc.graph import Graph
from netcalc.layers.linear import Linear

OPERATIONS: tuple[type[InferenceOperation], ...] = (
    FusedConvolution, ScaleAndShift, WindowPooling, GlobalAverage, ChannelConcat, Copy, UnfusedActivation,
    Merge, FusedLinear, KernelFallback,
)  # fmt: skip
"""The operations; a layer takes the first that fits it."""
DTYPES = ("float32", "float64")
_MOST_WORKERS = 8
_LEAST_MACS = 2_000_000
"""Multiply-adds of a batch from which on a second worker saves time."""
_HEAVY_WEIGHTS = 2**20
"""Weights of a linear layer from which on the workers share them, so that each weight is read once."""


@dataclass
class Program:
    """The operations in order, and where all tensors lie.

    In the first `batch_parallel` operations each worker computes its own samples; in the others all
    workers share each operation.
    """

    graph: Graph
    batch: int
    workers: int
    dtype: np.dtype[np.floating]
    operations: list[InferenceOperation]
    tensors: dict[str, PlannedTensor]
    reads: list[tuple[str, ...]]
    """The tensors that each operation reads, the one that is added last."""
    holder: dict[str, str]
    batch_parallel: int
    own_bytes: int = 0
    """The memory of the tensors that each worker has for itself."""
    shared_bytes: int = 0

    @property
    def arena_bytes(self) -> int:
        """The memory of all tensors."""
        return self.own_bytes * self.workers + self.shared_bytes

    def memory(self) -> "PlanMemory":
        """The memory that a plan takes; nothing of it is allocated yet."""
        for operation in self.operations:
            operation.blank(self.dtype)
        weights = sum(operation.weight_bytes for operation in self.operations)
        return PlanMemory(self.arena_bytes, self._scratch_bytes(), self.workers, weights)

    def samples(self, number: int) -> int:
        """How many samples a worker computes in an operation."""
        return self.batch // self.workers if number < self.batch_parallel else self.batch

    def _scratch_bytes(self) -> int:
        scratch = Scratch()
        for number, operation in enumerate(self.operations):
            samples = self.samples(number)
            for share in self.shares(number):
                arrays = {
                    name: unallocated((samples, *self.tensors[name].held), self.dtype)
                    for name in (*self.reads[number], operation.stage.output)
                }
                for _ in self.calls(number, arrays, scratch, share):
                    pass
        return scratch.most

    def shares(self, number: int) -> list[Share]:
        """Each worker's share of an operation."""
        if number < self.batch_parallel:
            return [Share()] * self.workers
        return [Share(worker, self.workers) for worker in range(self.workers)]

    def calls(self, number: int, arrays: dict[str, Array], scratch: Scratch, share: Share) -> Iterator[Call]:
        """One worker's calls of an operation, on the arrays with halos of the tensors by name."""
        operation = self.operations[number]
        bound = [(self.tensors[name], arrays[name]) for name in self.reads[number]]
        added = bound.pop() if operation.stage.added is not None else None
        output = operation.stage.output
        with scratch.lent():
            yield from operation.calls(
                Operands(tuple(bound), (self.tensors[output], arrays[output]), added, scratch, share)
            )


class PlanMemory(NamedTuple):
    """The bytes that a plan takes: all tensors, scratch for each worker, weights in another form."""

    arena: int
    scratch: int
    workers: int
    weights: int

    @property
    def total(self) -> int:
        return self.arena + self.scratch * self.workers + self.weights


def lowered(graph: Graph, batch: int, dtype: str, workers: int | None = None) -> Program:
    """The program of a graph for `workers` threads; by default as many as save time.

    Raises ExecutionError for a dtype or batch size that no plan is for.
    """
    if dtype not in DTYPES:
        refuse("E913", f"a plan computes in {' or '.join(DTYPES)}, not in {dtype}")
    if batch < 1:
        refuse("E902", f"a plan is for a batch of 1 or more, not of {batch}: there is no sample to run")
    if workers is not None and workers < 1:
        raise ValueError(f"a plan needs a worker, not {workers}")
    if workers is not None:
        return _lower(graph, batch, workers, dtype)
    program = _lower(graph, batch, min(cores(), _MOST_WORKERS), dtype)
    return program if program.workers == 1 or _pays(program) else _lower(graph, batch, 1, dtype)


def _pays(program: Program) -> bool:
    """Whether several workers save time: there is enough work, and most of it can be shared."""
    graph = program.graph
    total = parallel = 0
    for number, operation in enumerate(program.operations):
        macs = graph.cost(operation.stage.node).macs
        total += macs
        parallel += macs if operation.is_fast or number < program.batch_parallel else 0
    return total * program.batch >= _LEAST_MACS and parallel * 2 > total


def _lower(graph: Graph, batch: int, workers: int, dtype: str) -> Program:
    stages, holder = fused_stages(graph)
    kind: np.dtype[np.floating] = np.dtype(dtype)
    parallel = _batch_parallel(stages) if workers > 1 and batch % workers == 0 else 0
    tensors = {given.name: PlannedTensor(given.name, given.type.shape, kind, False) for given in graph.inputs}
    for name in token_inputs(graph):
        tensors[name].dtype = np.dtype(np.int64)
    program = Program(graph, batch, workers, kind, [], tensors, [], holder, 0)
    for number, stage in enumerate(stages):
        if number == parallel:
            program.batch_parallel = len(program.operations)
        _add(program, stage, batch // workers if number < parallel else batch)
    if parallel >= len(stages):
        program.batch_parallel = len(program.operations)
    _place(program)
    return program


def _batch_parallel(stages: list[FusedStage]) -> int:
    """How many stages precede the first that mixes samples, or whose weights should be read only once."""
    for number, stage in enumerate(stages):
        if stage.node.layer.mixes_samples(training=False):
            return number
        is_head = isinstance(stage.node.layer, Linear) and len(stage.node.output.shape) == 1
        if is_head and prod(stage.node.params[0].shape) >= _HEAVY_WEIGHTS:
            return number
    return len(stages)


def _add(program: Program, stage: FusedStage, samples: int) -> None:
    """Add a stage's operation, after copies that bring its inputs to the layout that it takes."""
    tensors = program.tensors
    operation = _operation(program, stage, samples)
    reads = []
    layout = tensors[stage.inputs[0]].channels_last if stage.inputs else False
    for number, name in enumerate(stage.inputs):
        wanted = operation.channels_last(number)
        wanted = layout if wanted is None else wanted
        if number == 0:
            layout = wanted
        keeps = not operation.is_fast or stage.node.layer.rearranges
        reads.append(
            _converted(program, name, wanted, stage, tensors[name].dtype if keeps else program.dtype)
        )
    gives = len(stage.node.output.shape) == 3 and operation.gives_channels_last(layout)
    if stage.added is not None:
        reads.append(_converted(program, stage.added, gives, stage, program.dtype))
    for number, name in enumerate(reads[: len(stage.inputs)]):
        tensor = tensors[name]
        both = zip(tensor.halo, operation.halo(number, tensor), strict=True)
        top, left = ((max(a[0], b[0]), max(a[1], b[1])) for a, b in both)
        tensor.halo = (top, left)
    shape = program.graph.types[stage.output].shape
    dtype = tensors[reads[0]].dtype if reads and stage.node.layer.rearranges else program.dtype
    tensors[stage.output] = PlannedTensor(stage.output, shape, dtype, gives)
    program.operations.append(operation)
    program.reads.append(tuple(reads))


def _converted(
    program: Program, name: str, channels_last: bool, stage: FusedStage, dtype: np.dtype[np.generic]
) -> str:
    """The tensor in a layout and a dtype; a copy where it is held in others."""
    tensor = program.tensors[name]
    channels_last = channels_last if len(tensor.shape) == 3 else tensor.channels_last
    if (tensor.channels_last, tensor.dtype) == (channels_last, dtype):
        return name
    other = f"{name}, channels {'last' if channels_last else 'first'}, {dtype}"
    if other not in program.tensors:
        program.tensors[other] = PlannedTensor(other, tensor.shape, dtype, channels_last)
        program.operations.append(Copy(FusedStage(stage.node, (name,), other)))
        program.reads.append((name,))
    return other


def _operation(program: Program, stage: FusedStage, samples: int) -> InferenceOperation:
    """The first operation that fits a stage."""
    shapes = [program.tensors[name].shape for name in stage.inputs]
    reads_input = any(given.name in stage.inputs[:1] for given in program.graph.inputs)
    operation = next(operation for operation in OPERATIONS if operation.fits(stage.node, shapes))
    return operation.of(stage, Placement(shapes[0] if shapes else (), reads_input, samples, program.dtype))


def _place(program: Program) -> None:
    """Work out when each tensor lives and which workers use it, and place them all in memory."""
    last = len(program.operations)
    parallel = program.batch_parallel
    for number, (operation, names) in enumerate(zip(program.operations, program.reads, strict=True)):
        program.tensors[operation.stage.output].born = number
        for name in (*names, operation.stage.output):
            program.tensors[name].dies = number
            program.tensors[name].shared |= number >= parallel
    for given in program.graph.inputs:
        program.tensors[given.name].shared = True
    for name in program.graph.outputs:
        tensor = program.tensors[program.holder[name]]
        tensor.dies, tensor.shared = last, True
    for tensor in program.tensors.values():
        if tensor.shared:  # workers reach an operation at different times while each has its own samples
            tensor.born = -1 if tensor.born < parallel else tensor.born
            tensor.dies = max(tensor.dies, parallel)
    own = [tensor for tensor in program.tensors.values() if not tensor.shared]
    shared = [tensor for tensor in program.tensors.values() if tensor.shared]
    program.own_bytes = place(own, program.batch // program.workers)
    program.shared_bytes = place(shared, program.batch)
