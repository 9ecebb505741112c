"""The tensors that a layer saves for its backward, and whether its output is a view of its input.

The measure is PyTorch's autograd in training mode, eager, on the CPU, for a batch of two or more.
"""

from enum import Enum
from typing import NamedTuple

STATISTIC_BYTES = 4
"""Sums over many elements are never narrower than float32."""
INDEX_BYTES = 8
"""Token numbers and positions are 64-bit integers."""


class Extra(NamedTuple):
    """Elements in addition to the tensors of the graph."""

    values: int = 0
    """In the element type of the tensors: masks that scale, copies, results inside the layer."""
    statistics: int = 0
    """At least as wide as float32: means, deviations, sums of exponentials."""
    indices: int = 0
    """64-bit integers."""
    flags: int = 0
    """One byte each."""

    def plus(self, other: "Extra") -> "Extra":
        return Extra(*map(int.__add__, self, other))

    def nbytes(self, itemsize: int) -> int:
        """Bytes, of tensors whose elements take `itemsize`."""
        wide = self.statistics * max(itemsize, STATISTIC_BYTES) + self.indices * INDEX_BYTES
        return self.values * itemsize + wide + self.flags


class Saved(NamedTuple):
    """The saved tensors: what backward reads in addition to the parameters."""

    inputs: tuple[int, ...] = ()
    """Which inputs, by position."""
    output: bool = False
    each: Extra = Extra()
    """Further elements, for each sample."""
    once: Extra = Extra()
    """Further elements, for the batch as a whole."""


NOTHING = Saved()
INPUT = Saved(inputs=(0,))
OUTPUT = Saved(output=True)


class View(Enum):
    """How an output can be its input's memory, seen in another way."""

    ANY = "of any tensor"
    IN_ORDER = "of a tensor whose elements stand in order; of another it is a copy"
    STRIDED = "of any tensor, its elements then no longer in order"
