"""The table against execution: shapes, parameters, multiply-adds done, bytes saved for backward."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from netcalc.backend.counting import Count, counted, counting
from netcalc.backend.inputs import random_inputs
from netcalc.backend.kernels import KERNELS, Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.network import Network
from netcalc.backend.saved_tensors import saved_bytes
from netcalc.graph import Node
from netcalc.tensor import Shape, TensorType

_CLOSE = 1e-4
"""How near the naive products' output must be to the network's, relative to its largest element.

In half precision as near as the type's own rounding. Where a layer makes more of rounding (attention over
large scores), both are computed again in float64, and compared there.
"""


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
    saved: int
    """The bytes that one more sample adds to what its kernel's backward holds, its own or others'."""
    counted_saved: int
    """The most that it may hold: what PyTorch keeps, the rule by which training memory is counted.

    In half precision that of float32, in which the kernels compute. Training memory counts a tensor that
    several layers keep once, and nothing where no gradient passes.
    """
    close: float = _CLOSE
    """The largest error that rounding explains."""

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
        if self.saved > self.counted_saved:
            problems.append(
                f"{self.saved:,} bytes held for backward where {self.counted_saved:,} are counted"
            )
        if not self.error < self.close:
            problems.append(f"naive products give another output, off by {self.error:.1e}")
        return tuple(problems)


def verify(
    network: Network, seed: int = 0, advance: Callable[[Node], None] | None = None
) -> tuple[Verified, ...]:
    """Run a network on one random sample and hold each layer against what is counted for it.

    Each kernel runs a second time with its matrix products done, and its multiply-adds counted, by a
    naive loop; beyond a hundred thousand a layer they are counted by the products' sizes. `advance` is
    called with each layer that is done. Raises ExecutionError where the network cannot be run.
    """
    found: list[Verified] = []
    graph, precision = network.graph, network.precision
    close = max(_CLOSE, precision.epsilon)

    def observe(node: Node, xs: tuple[Array, ...], y: Array, _: float) -> None:
        params = {name: precision.computed(array) for name, array in network.arrays_of(node).items()}
        xs = tuple(map(precision.computed, xs))
        naive, count = _counted_run(node, xs, params)
        error = _error(naive, precision.computed(y))
        if not error < close:
            error = _error_in_float64(node, xs, params)
        elements = sum(array.size for array in params.values())
        cost = graph.cost(node)
        saved, counted_saved = _saved(node, xs, params)
        found.append(
            Verified(
                node,
                y.shape[1:],
                elements,
                count.macs,
                count.looped,
                error,
                cost.macs,
                saved,
                counted_saved,
                close,
            )
        )
        if advance is not None:
            advance(node)

    network.run(random_inputs(graph, 1, seed, precision.name), gradients=False, observe=observe)
    return tuple(found)


def _error(naive: Array, y: Array) -> float:
    """The largest difference relative to the largest element; infinities and NaN are alike in both."""
    alike = (naive == y) | (np.isnan(naive) & np.isnan(y))
    scale = float(np.abs(y).max(initial=0, where=np.isfinite(y))) or 1.0
    return float(np.abs(naive - y).max(initial=0, where=~alike)) / scale


def _error_in_float64(node: Node, xs: tuple[Array, ...], params: dict[str, Array]) -> float:
    """The same of the layer computed in float64, where no rounding comes near the limit."""
    wide = tuple(_widened(x) for x in xs)
    wide_params = {name: _widened(array) for name, array in params.items()}
    naive, _ = _counted_run(node, wide, wide_params)
    y, _ = KERNELS[node.layer.kind](node.layer, wide_params, wide, Context())
    return _error(naive, y)


def _widened(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.kind == "f" else array


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


def _saved(node: Node, xs: tuple[Array, ...], params: dict[str, Array]) -> tuple[int, int]:
    """The bytes a sample that a layer keeps in training, and those counted for it.

    Three samples minus two, so that arrays made once per batch do not count.
    """
    sizes = []
    for samples in (2, 3):
        several = tuple(np.repeat(x, samples, axis=0) for x in xs)
        own = {name: array.copy() for name, array in params.items()}
        context = Context(True, np.random.default_rng(0), node.is_frozen)
        _, backward = KERNELS[node.layer.kind](node.layer, own, several, context)
        sizes.append(saved_bytes(backward, without=own))
    itemsize = next((x.dtype.itemsize for x in xs if x.dtype.kind == "f"), node.output.dtype.itemsize)
    types = tuple(TensorType(x.shape[1:]) for x in xs)
    rule = node.layer.saved_frozen if node.is_frozen else node.layer.saved
    saved = rule(types, node.output, tuple(x.dtype.kind == "f" for x in xs))
    tensors = (
        sum(xs[number].nbytes for number in set(saved.inputs)) + node.output.numel * itemsize * saved.output
    )
    return sizes[1] - sizes[0], tensors + saved.each.nbytes(itemsize)
