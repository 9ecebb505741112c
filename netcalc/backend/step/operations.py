"""Operations of a training step: each computes a layer forward and backward on bound buffers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from netcalc.backend.kernels.base import Array
from netcalc.backend.network import Network
from netcalc.backend.step.buffers import (
    BatchLayout,
    BoundTensor,
    BufferPool,
    GradientBuffer,
    aligned_zeros,
)
from netcalc.backend.workers import Workers
from netcalc.graph import Node
from netcalc.layers import Layer
from netcalc.tensor import Shape


@dataclass
class Runtime:
    """What the operations of a training step share: the network, the workers and scratch memory."""

    network: Network
    workers: Workers
    shares: Sequence[slice]
    """The samples of each worker."""
    draw: int = 0
    """The number of the training pass, which selects its random numbers."""
    _scratch: dict[tuple[str, int, Shape], Array] = field(default_factory=dict)

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """That of the network's parameters."""
        return self.network.dtype

    @property
    def batch(self) -> int:
        """The samples of all workers."""
        return int(self.shares[-1].stop)

    def zeros(self, shape: int | tuple[int, ...]) -> Array:
        """An array in that dtype."""
        return aligned_zeros(shape, self.dtype)

    def random(self, number: int) -> np.random.Generator:
        """The random numbers of a layer by its number in the graph, the same as those of `Network.run`."""
        return np.random.default_rng([self.network.seed, self.draw, number])

    def scratch(self, purpose: str, worker: int, *shape: int, dtype: npt.DTypeLike | None = None) -> Array:
        """A worker's array for temporaries of one operation; zeros at first, later what was left in it.

        Operations that ask for the same shape for the same purpose get the same array.
        """
        key = purpose, worker, shape
        found = self._scratch.get(key)
        if found is None:
            found = self._scratch[key] = aligned_zeros(shape, dtype or self.dtype)
        return found


@dataclass
class Binding:
    """What an operation is bound to: its layer, its inputs, its parameters and their gradients."""

    node: Node
    number: int
    xs: tuple[BoundTensor, ...]
    params: Mapping[str, Array]
    gradients: Mapping[str, list[Array]]
    """For each learnable parameter one array a worker, which are summed in the end, or one for all."""
    readers: int
    runtime: Runtime
    has_backward: bool = True
    """Whether its backward runs; where not, it saves nothing for it."""
    pool: BufferPool | None = None
    """Where its output's buffers come from, and go back to once read, where no backward reads them."""

    def saved(self, purpose: str, worker: int, *shape: int) -> Array:
        """A worker's array for what forward saves for backward; scratch memory where no backward runs."""
        if self.has_backward:
            return self.runtime.zeros(shape)
        return self.runtime.scratch(purpose, worker, *shape)

    def saved_beside(self, x: BoundTensor, purpose: str) -> list[Array]:
        """For each worker an array like an input's: its own memory if nothing else reads it."""
        if x.can_overwrite:
            return x.parts
        return [self.saved(purpose, worker, *part.shape) for worker, part in enumerate(x.parts)]

    def output(
        self, overwriting: BoundTensor | None = None, overwritable: bool = True, lasting: bool = False
    ) -> BoundTensor:
        """The layer's output tensor, in the buffers of an input that it overwrites, or in others.

        `overwritable` says that the layer's own backward does not read it, `lasting` that what is written
        there once stays from one run to the next.
        """
        layout = BatchLayout(self.node.output.shape, self.runtime.shares)
        rearranges = self.node.layer.rearranges  # token numbers stay integers
        dtype = self.xs[0].buffers[0].dtype if rearranges else self.runtime.dtype
        memory = None
        if overwriting is not None:
            buffers, memory = overwriting.buffers, overwriting.memory
            if memory is not None:
                memory.users += 1
        elif self.pool is not None and dtype == self.runtime.dtype and not lasting:
            memory = self.pool.take(layout)
            buffers = memory.buffers
        else:
            buffers = [aligned_zeros(size, dtype) for size in layout.sizes]
        overwritable = (overwritable or not self.has_backward) and not lasting
        return BoundTensor(layout, buffers, self.readers, overwritable, memory)


class TrainingOperation:
    """One layer. Every worker calls `forward` and `backward`, with its number, for its own samples.

    `link` is called once, while the backward pass is lowered: it is given the buffer of the gradient of y
    and which inputs need a gradient, and returns the buffers of those. An operation writes into the
    gradient of its y only as `link_in_place` allows.
    """

    joint: ClassVar[bool] = False
    """Whether its parameters' gradients are computed from all samples at once, not summed over workers."""
    layer: Layer
    """The layer; subclasses name the class that `fits` accepts."""
    y: BoundTensor

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this operation can run a layer that reads samples of such shapes."""
        raise NotImplementedError

    def __init__(self, binding: Binding) -> None:
        self.binding = binding
        self.layer = binding.node.layer
        self.runtime = binding.runtime

    def forward(self, worker: int) -> None:
        raise NotImplementedError

    def link(
        self, dy: GradientBuffer, wanted: Sequence[bool], pool: BufferPool
    ) -> list[GradientBuffer | None]:
        """Take a buffer for the gradient of each input that is wanted."""
        self.dy = self.y.layout.parts(dy.buffers)
        xs = self.binding.xs
        taken = [pool.take(x.layout) if want else None for x, want in zip(xs, wanted, strict=True)]
        self.dxs = [
            None if dx is None else x.layout.parts(dx.buffers) for x, dx in zip(xs, taken, strict=True)
        ]
        return taken

    def link_in_place(
        self, dy: GradientBuffer, wanted: Sequence[bool], pool: BufferPool
    ) -> list[GradientBuffer | None]:
        """As `link`, for one input of y's shape: its gradient is written over y's if nothing else reads that.

        For operations whose backward reads an element of the gradient of y before it writes there.
        """
        if dy.users > 1 or not wanted[0]:
            return TrainingOperation.link(self, dy, wanted, pool)
        dy.users += 1
        self.dy = self.y.layout.parts(dy.buffers)
        self.dxs = [self.dy]
        return [dy]

    def backward(self, worker: int) -> None:
        raise NotImplementedError
