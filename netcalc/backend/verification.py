"""The table against execution: every shape, every parameter, and the multiply-adds as they are done."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from netcalc.backend.counting import Count, counted, counting
from netcalc.backend.inputs import random_inputs
from netcalc.backend.kernels import KERNELS, Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.network import Network
from netcalc.graph import Node
from netcalc.tensor import Shape

_CLOSE = 1e-4
"""How near the naive products' output must be to the network's, relative to its largest element."""


class Verified(NamedTuple):
    """One layer: what the table says, and what execution found. Figures are for one sample."""

    node: Node
    shape: Shape
    """The shape of what the layer gave."""
    params: int
    """The elements of its allocated arrays."""
    macs: int
    """The multiply-adds that were done."""
    looped: int
    """Those of them that a naive loop did; the rest were counted by the sizes of the products."""
    error: float
    """The largest difference that the naive products made, relative to the largest element."""
    counted_macs: int
    """What the table says."""

    @property
    def wrong(self) -> tuple[str, ...]:
        """What differs from the table, in words."""
        node = self.node
        declared = sum(param.numel for param in node.params)
        problems = []
        if self.shape != node.output.shape:
            problems.append(f"shape {self.shape} where {node.output.shape} is counted")
        if self.params != declared:
            problems.append(f"{self.params:,} parameters where {declared:,} are counted")
        if self.macs != self.counted_macs:
            problems.append(f"{self.macs:,} multiply-adds where {self.counted_macs:,} are counted")
        if not self.error < _CLOSE:
            problems.append(f"naive products give another output, off by {self.error:.1e}")
        return tuple(problems)


def verify(
    network: Network, seed: int = 0, advance: Callable[[Node], None] | None = None
) -> tuple[Verified, ...]:
    """Run a network on one random sample and hold each layer against what is counted for it.

    Each kernel runs a second time with its matrix products done, and its multiply-adds counted, by a
    naive loop; beyond a hundred thousand a layer they are counted by the products' sizes. `advance` is
    told each layer that is done. Raises ExecutionError where the network cannot be run.
    """
    found: list[Verified] = []
    graph = network.graph

    def observe(node: Node, xs: tuple[Array, ...], y: Array, _: float) -> None:
        params = network.arrays_of(node)
        naive, count = _counted_run(node, xs, params)
        scale = float(np.abs(y).max(initial=0)) or 1.0
        error = float(np.abs(naive - y).max(initial=0)) / scale
        elements = sum(array.size for array in params.values())
        cost = node.layer.cost(graph.input_types(node), node.output)
        found.append(Verified(node, y.shape[1:], elements, count.macs, count.looped, error, cost.macs))
        if advance is not None:
            advance(node)

    network.run(random_inputs(graph, 1, seed, network.dtype), gradients=False, observe=observe)
    return tuple(found)


def _counted_run(node: Node, xs: tuple[Array, ...], params: dict[str, Array]) -> tuple[Array, Count]:
    """A layer run with products that count."""
    with counting() as count:
        y, _ = KERNELS[node.layer.kind](
            node.layer,
            {name: counted(array) for name, array in params.items()},
            tuple(map(counted, xs)),
            Context(),
        )
    return y.view(np.ndarray), count
