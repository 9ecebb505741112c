"""Live allocations, their sizes by purpose, and the events of a memory timeline."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple


class Bytes(NamedTuple):
    """A size in memory that is linear in the batch size."""

    fixed: int = 0
    per_sample: int = 0

    def at(self, batch: int) -> int:
        """The size at a batch size."""
        return self.fixed + self.per_sample * batch

    def plus(self, other: "Bytes", times: int = 1) -> "Bytes":
        return Bytes(self.fixed + other.fixed * times, self.per_sample + other.per_sample * times)


Part = Literal["kept", "passing", "gradients", "weight_gradients", "temporary"]


class Parts(NamedTuple):
    """Live memory by purpose; the names of the fields are keys of the JSON output."""

    kept: Bytes = Bytes()
    """Saved for the backward pass."""
    passing: Bytes = Bytes()
    """Outputs that only forward reads."""
    gradients: Bytes = Bytes()
    """Gradients of outputs."""
    weight_gradients: Bytes = Bytes()
    temporary: Bytes = Bytes()
    """Workspace of a layer or of the optimiser."""

    @property
    def total(self) -> Bytes:
        """The sum of all parts."""
        return Bytes(*map(sum, zip(*self, strict=True)))


Phase = Literal["forward", "loss", "again", "backward", "update"]
"""`again` is the second forward of a recomputed segment."""


class MemoryEvent(NamedTuple):
    """One event of a training step, and the peak of live memory during it."""

    phase: Phase
    layer: int | None
    """The layer by its place in the graph; None for the loss and the update."""
    parts: Parts


def peaks(moments: Iterable[Parts]) -> Iterator[Parts]:
    """Those of some moments that are the peak at some batch."""
    totals = {moment.total: moment for moment in moments}
    for total, moment in totals.items():
        others = totals.keys() - {total}
        if not any(total.fixed <= other.fixed and total.per_sample <= other.per_sample for other in others):
            yield moment


@dataclass
class _Allocation:
    size: Bytes
    part: Part
    references: int


class Allocations:
    """Reference-counted allocations by key; one is freed when its last reference is released."""

    def __init__(self) -> None:
        self.parts = Parts()
        self._live: dict[Hashable, _Allocation] = {}

    def allocate(self, key: Hashable, size: Bytes, part: Part, references: int = 1) -> None:
        """Add an allocation."""
        self._live[key] = _Allocation(size, part, references)
        self._count(part, size, 1)

    def retain(self, key: Hashable) -> None:
        """Add a reference."""
        self._live[key].references += 1

    def release(self, key: Hashable) -> None:
        """Drop a reference, and free the allocation if it was the last."""
        allocation = self._live[key]
        allocation.references -= 1
        if not allocation.references:
            del self._live[key]
            self._count(allocation.part, allocation.size, -1)

    def size(self, key: Hashable) -> Bytes:
        """The size of an allocation."""
        return self._live[key].size

    def is_shared(self, key: Hashable) -> bool:
        """Whether an allocation has several references."""
        return self._live[key].references > 1

    def _count(self, part: Part, size: Bytes, times: int) -> None:
        self.parts = self.parts._replace(**{part: getattr(self.parts, part).plus(size, times)})
