"""Profiles of a run, layer by layer: moments of the outputs, times, norms of the gradients."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.passes import LayerBackward
from netcalc.graph import Node
from netcalc.tensor import Shape, TensorType

VANISHING = 1e-4
"""A gradient this much smaller than the one it comes from, element for element, has all but vanished."""
EXPLODING = 1e4

_SQUARABLE = 1e100
"""Beyond it numbers are scaled before they are squared and summed."""


class Moments(NamedTuple):
    """The moments of an array; mean to max are those of its finite elements."""

    mean: float
    std: float
    min: float
    max: float
    zeros: float
    """The share of elements that are exactly 0."""
    nans: int
    infs: int

    @property
    def is_finite(self) -> bool:
        return not self.nans and not self.infs

    @classmethod
    def of(cls, array: Array) -> "Moments":
        """The moments of an array of any dtype, summed in float64."""
        finite = np.isfinite(array)
        values = array if finite.all() else array[finite]
        nans = int(np.isnan(array).sum())
        infs = array.size - int(finite.sum()) - nans
        zeros = 1 - np.count_nonzero(array) / array.size
        if not values.size:
            return cls(np.nan, np.nan, np.nan, np.nan, zeros, nans, infs)
        least, most = float(values.min()), float(values.max())
        scale = max(-least, most)
        if scale > _SQUARABLE:
            values = values / scale
        else:
            scale = 1.0
        mean, std = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
        return cls(scale * mean, scale * std, least, most, zeros, nans, infs)


class ForwardProfile(NamedTuple):
    """One layer's forward: the output without its batch, its moments, and the time."""

    node: Node
    shape: Shape
    moments: Moments
    seconds: float
    operations: int
    """2 a multiply-add and 1 for every other operation, for the whole batch."""
    begins: bool
    """Whether the output has NaN or Inf although no input has."""

    @property
    def gflops(self) -> float:
        """Operations a nanosecond."""
        return self.operations / self.seconds / 1e9 if self.seconds else 0.0


class BackwardProfile(NamedTuple):
    """One layer's backward, in norms: upstream of its output, downstream of its inputs, local between."""

    node: Node
    upstream: float
    downstream: float | None
    """None where no input has a gradient."""
    params: Mapping[str, float]
    relative: float
    """The upstream gradient an element against the network's own upstream gradient an element."""
    seconds: float

    @property
    def local(self) -> float | None:
        """The ratio of the norms: how much the layer's backward lengthens the gradient."""
        if self.downstream is None:
            return None
        return self.downstream / self.upstream if self.upstream else 0.0

    @property
    def verdict(self) -> str:
        """`vanishing`, `exploding`, `not finite`, or nothing."""
        if not np.isfinite(self.upstream):
            return "not finite"
        if self.relative < VANISHING:
            return "vanishing"
        return "exploding" if self.relative > EXPLODING else ""


@dataclass
class Profiler:
    """Observes a run and its backward pass: pass its `forward` and `backward` to them as observers."""

    forward_rows: list[ForwardProfile] = field(default_factory=list)
    backward_rows: list[BackwardProfile] = field(default_factory=list)
    _unsound: set[str] = field(default_factory=set)
    _first: float = 0.0

    def forward(self, node: Node, xs: tuple[Array, ...], y: Array, seconds: float) -> None:
        moments = Moments.of(y)
        read_unsound = any(name in self._unsound or not np.isfinite(x).all()
                           for name, x in zip(node.inputs, xs, strict=True))  # fmt: skip
        if not moments.is_finite:
            self._unsound.add(node.full_name)
        types = tuple(TensorType(x.shape[1:]) for x in xs)
        cost = node.layer.cost(types, node.output)
        operations = (2 * cost.macs + cost.other_ops) * y.shape[0]
        begins = not moments.is_finite and not read_unsound
        self.forward_rows.append(ForwardProfile(node, y.shape[1:], moments, seconds, operations, begins))

    def backward(self, record: LayerBackward) -> None:
        upstream = norm(record.upstream)
        rms = upstream / record.upstream.size**0.5
        if not self.backward_rows:
            self._first = rms
        reached = [norm(dx) for dx in record.inputs if dx is not None]
        downstream = float(np.linalg.norm(reached)) if reached else None
        relative = rms / self._first if self._first else (inf if rms else 0.0)
        params = {name: norm(gradient) for name, gradient in record.params.items()}
        self.backward_rows.append(
            BackwardProfile(record.node, upstream, downstream, params, relative, record.seconds)
        )


def norm(array: Array) -> float:
    """The Euclidean norm, in float64 and without overflow."""
    largest = float(np.abs(array).max(initial=0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    scaled = array.astype(np.float64).ravel() / largest
    return largest * float(np.sqrt(scaled @ scaled))
