"""Lowers a graph to the programs of a training step: its operations forward, its gradients backward."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netcalc.backend.inputs import token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.step.activation import GatedUnit, RowSoftmax, SmoothActivation
from netcalc.backend.step.attention.operations import DotProductAttention, MultiHeadProjections
from netcalc.backend.step.buffers import (
    BatchLayout,
    BoundTensor,
    BufferPool,
    GradientBuffer,
    aligned_zeros,
)
from netcalc.backend.step.convolution.depthwise import DepthwiseConvolution
from netcalc.backend.step.convolution.operation import Convolution
from netcalc.backend.step.elementwise import ElementwiseKernel, ReLU, Sum
from netcalc.backend.step.embedding import LearnedTensor, TableLookup
from netcalc.backend.step.fallback import SampleFallback, WholeBatchFallback
from netcalc.backend.step.linear import LinearProduct, RowProduct
from netcalc.backend.step.normalisation import BatchNormalisation
from netcalc.backend.step.operations import Binding, Runtime, TrainingOperation
from netcalc.backend.step.parameters import ParameterGradients
from netcalc.backend.step.pooling import AveragePooling, GlobalAveragePooling, MaxPooling
from netcalc.backend.step.regularisation import RandomDrop
from netcalc.backend.step.row_norms import RowNormalisation
from netcalc.backend.step.running_norm import RunningNormalisation
from netcalc.backend.step.shape import Concatenation, ConstantPadding, Flattening, ViewCopy
from netcalc.graph import Graph, Node
from netcalc.tensor import Shape

OPERATIONS: tuple[type[TrainingOperation], ...] = (
    DepthwiseConvolution, Convolution, LinearProduct, MaxPooling, AveragePooling, GlobalAveragePooling,
    RunningNormalisation, BatchNormalisation, ReLU, SmoothActivation, ElementwiseKernel, Flattening,
    ConstantPadding, RandomDrop, ViewCopy, Sum, Concatenation, RowProduct, RowNormalisation,
    MultiHeadProjections, DotProductAttention, GatedUnit, RowSoftmax, TableLookup, LearnedTensor,
    WholeBatchFallback, SampleFallback,
)  # fmt: skip
"""The operations; a layer takes the first that fits it."""
Run = Callable[[int], None]
"""What every worker runs, called with its number."""


class ForwardProgram:
    """The operations in order, and the tensors that they read and write.

    Layers that are not `active` have no backward. Their outputs live until their last reader has run, and
    share buffers, unless an active layer reads them.
    """

    def __init__(self, runtime: Runtime, active: Collection[str]) -> None:
        graph = runtime.network.graph
        readers = {name: len(found) + (name in graph.outputs) for name, found in graph.readers.items()}
        tokens = token_inputs(graph)
        self.tensors: dict[str, BoundTensor] = {}
        for given in graph.inputs:
            layout = BatchLayout(given.type.shape, runtime.shares)
            dtype = np.dtype(np.int64) if given.name in tokens else runtime.dtype
            buffers = [aligned_zeros(size, dtype) for size in layout.sizes]
            self.tensors[given.name] = BoundTensor(layout, buffers, readers[given.name])
        kinds = {
            node.full_name: _operation(node, [graph.types[name].shape for name in node.inputs])
            for node in graph.nodes
        }
        self.gradients = ParameterGradients(
            graph, active, lambda node: kinds[node.full_name].joint, runtime.workers, runtime.dtype
        )
        self.operations: list[TrainingOperation] = []
        pool, last_readers = BufferPool(runtime.zeros), _last_readers(graph, active)
        for number, node in enumerate(graph.nodes):
            name = node.full_name
            xs = tuple(self.tensors[each] for each in node.inputs)
            params, gradients = runtime.network.arrays_of(node), self.gradients.of(node)
            own = pool if name in last_readers else None
            binding = Binding(
                node, number, xs, params, gradients, readers[name], runtime, name in active, own
            )
            operation = kinds[name](binding)
            self.operations.append(operation)
            self.tensors[name] = operation.y
            for each in {*node.inputs, name}:
                memory = self.tensors[each].memory
                if memory is not None and last_readers.get(each) == name:
                    pool.release(memory)


def active_layers(graph: Graph, inputs: Collection[str] = ()) -> frozenset[str]:
    """The layers that backward runs through, where some inputs want a gradient too."""
    wanted = set(inputs)
    for node in graph.nodes:
        if node.is_trained or not wanted.isdisjoint(node.inputs):
            wanted.add(node.full_name)
    return frozenset(wanted) - {*inputs} - graph.unused


def _last_readers(graph: Graph, active: Collection[str]) -> dict[str, str]:
    """The last reader of each output that no backward reads; the layer itself where there is none."""
    found = {}
    for node in graph.nodes:
        name, readers = node.full_name, [reader.full_name for reader in graph.readers[node.full_name]]
        if name not in graph.outputs and not any(each in active for each in (name, *readers)):
            found[name] = readers[-1] if readers else name
    return found


def _operation(node: Node, shapes: Sequence[Shape]) -> type[TrainingOperation]:
    """The first operation that fits a layer."""
    return next(operation for operation in OPERATIONS if operation.fits(node, shapes))


@dataclass(frozen=True)
class _Addition:
    """The gradient of a tensor that several layers read: the sum so far plus one more."""

    first: list[Array]
    second: list[Array]
    summed: list[Array]

    def backward(self, worker: int) -> None:
        np.add(self.first[worker], self.second[worker], out=self.summed[worker])


class BackwardProgram:
    """The operations in reverse, with a buffer for each gradient as long as it is needed."""

    def __init__(
        self,
        runtime: Runtime,
        forward: ForwardProgram,
        active: Collection[str],
        wanted_inputs: Collection[str],
    ) -> None:
        self._tensors = forward.tensors
        self._pool = BufferPool(runtime.zeros)
        self._buffers: dict[str, GradientBuffer] = {}
        self.runs: list[Run] = []
        graph = runtime.network.graph
        wanted = {*active, *wanted_inputs}
        outputs = [name for name in graph.outputs if name in wanted]
        for name in outputs:
            self._buffers[name] = self._pool.take(self._tensors[name].layout)
        self.upstream = self._parts(outputs)
        reached = set()
        for operation in reversed(forward.operations):
            node = operation.binding.node
            dy = self._buffers.pop(node.full_name, None)
            if dy is None or node.full_name not in wanted:
                continue
            dxs = operation.link(dy, [name in wanted for name in node.inputs], self._pool)
            self.runs.append(operation.backward)
            reached.add(node.full_name)
            for name, dx in zip(node.inputs, dxs, strict=True):
                if dx is not None:
                    self._add(name, dx)
            self._pool.release(dy)
        forward.gradients.reached(reached)
        self.inputs = self._parts(name for name in wanted_inputs if name in self._buffers)

    def _parts(self, names: Iterable[str]) -> Mapping[str, list[Array]]:
        return {name: self._tensors[name].layout.parts(self._buffers[name].buffers) for name in names}

    def _add(self, name: str, second: GradientBuffer) -> None:
        first = self._buffers.get(name)
        if first is None:
            self._buffers[name] = second
            return
        layout = self._tensors[name].layout
        alone = [buffer for buffer in (first, second) if buffer.users == 1]
        summed = alone[0] if alone else self._pool.take(layout)
        self.runs.append(
            _Addition(*(layout.parts(buffer.buffers) for buffer in (first, second, summed))).backward
        )
        for buffer in (first, second):
            if buffer is not summed:
                self._pool.release(buffer)
        self._buffers[name] = summed
