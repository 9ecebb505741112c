"""What a step is: a layer bound to the buffers that it reads and writes, forward and backward."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.network import Network
from netcalc.backend.step.storage import Layout, Pool, Slot, Value
from netcalc.backend.workers import Team
from netcalc.graph import Node
from netcalc.tensor import Shape


@dataclass
class Workshop:
    """What the steps of one network share: the workers, their samples, and room for passing results."""

    network: Network
    team: Team
    shares: Sequence[slice]
    draw: int = 0
    """Which training this is: it picks the random numbers."""
    _scratch: dict[tuple[str, int, Shape], Array] = field(default_factory=dict)

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """That of the network's parameters."""
        return self.network.dtype

    @property
    def batch(self) -> int:
        """The samples of all workers."""
        return int(self.shares[-1].stop)

    @property
    def workers(self) -> range:
        """Their numbers."""
        return range(len(self.shares))

    def zeros(self, shape: int | tuple[int, ...]) -> Array:
        """An array in that dtype."""
        return np.zeros(shape, self.dtype)

    def random(self, number: int) -> np.random.Generator:
        """The random numbers of the layer of that number, those of the plain path."""
        return np.random.default_rng([self.network.seed, self.draw, number])

    def scratch(self, purpose: str, worker: int, *shape: int) -> Array:
        """A worker's array for results that do not outlive a step: zeros at first, then what was left.

        Steps that ask for the same shape for the same purpose get the same array.
        """
        key = purpose, worker, shape
        if key not in self._scratch:
            self._scratch[key] = np.zeros(shape, self.dtype)
        return self._scratch[key]


@dataclass
class Site:
    """Where a step is built: its layer, what it reads, its parameters, and where their gradients go."""

    node: Node
    number: int
    xs: tuple[Value, ...]
    params: Mapping[str, Array]
    gradients: Mapping[str, list[Array]]
    """For each learnable parameter an array a worker, which are summed in the end, or one for all."""
    readers: int
    shop: Workshop

    def output(self, overwriting: Value | None = None, spare: bool = True) -> Value:
        """The value for the layer's output, in place of one that it may write over or in new buffers.

        `spare` says that the layer's own way back does not read it.
        """
        layout = Layout(self.node.output.shape, self.shop.shares)
        if overwriting is not None:
            buffers = overwriting.buffers
        else:
            rearranges = self.node.layer.family in ("shape", "cutting")  # token numbers stay whole
            dtype = self.xs[0].buffers[0].dtype if rearranges else self.shop.dtype
            buffers = [np.zeros(size, dtype) for size in layout.sizes]
        return Value(layout, buffers, self.readers, spare)


class Step:
    """One layer. `forward` and `backward` are called by every worker, with its number, for its samples.

    While the way back is laid out `link` is told where the gradient of y will be, and which inputs
    want theirs; it says where those will be. A step never writes into the gradient of its y.
    """

    joint: ClassVar[bool] = False
    """Whether the gradients of its parameters come from all samples at once, rather than a worker's."""
    y: Value

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this kind of step can run a layer that reads samples of such shapes."""
        raise NotImplementedError

    def __init__(self, site: Site) -> None:
        self.site = site
        self.layer: Any = site.node.layer
        self.shop = site.shop

    def forward(self, worker: int) -> None:
        raise NotImplementedError

    def link(self, dy: Slot, wanted: Sequence[bool], pool: Pool) -> list[Slot | None]:
        """Take a slot for the gradient of each input that is wanted."""
        self.dy = self.y.layout.parts(dy.buffers)
        slots = [pool.take(x.layout) if want else None for x, want in zip(self.site.xs, wanted, strict=True)]
        self.dxs = [
            None if slot is None else x.layout.parts(slot.buffers)
            for x, slot in zip(self.site.xs, slots, strict=True)
        ]
        return slots

    def backward(self, worker: int) -> None:
        raise NotImplementedError
