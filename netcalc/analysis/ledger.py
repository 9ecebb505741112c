"""Pieces of memory that are taken, held and released, and their sums by what they are for."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal, NamedTuple


class Bytes(NamedTuple):
    """Bytes that are there once, and those of each sample."""

    once: int = 0
    each: int = 0

    def at(self, batch: int) -> int:
        """Bytes at a batch size."""
        return self.once + self.each * batch

    def plus(self, other: "Bytes", times: int = 1) -> "Bytes":
        return Bytes(self.once + other.once * times, self.each + other.each * times)


Part = Literal["kept", "passing", "gradients", "weight_gradients", "temporary"]


class Parts(NamedTuple):
    """What lives, by what it is for."""

    kept: Bytes = Bytes()
    """What backward will read, or is reading."""
    passing: Bytes = Bytes()
    """Outputs on their way to the next layers alone."""
    gradients: Bytes = Bytes()
    """Gradients of outputs, on their way back."""
    weight_gradients: Bytes = Bytes()
    temporary: Bytes = Bytes()
    """What a layer or the optimiser takes for itself while it runs."""

    @property
    def total(self) -> Bytes:
        """All together."""
        return Bytes(*map(sum, zip(*self, strict=True)))


@dataclass
class _Piece:
    size: Bytes
    part: Part
    holders: int


class Ledger:
    """The pieces that live, by any key; one lives while somebody holds it."""

    def __init__(self) -> None:
        self.parts = Parts()
        self._pieces: dict[Hashable, _Piece] = {}

    def take(self, key: Hashable, size: Bytes, part: Part, holders: int = 1) -> None:
        """A new piece."""
        self._pieces[key] = _Piece(size, part, holders)
        self._count(part, size, 1)

    def hold(self, key: Hashable) -> None:
        """One holder more."""
        self._pieces[key].holders += 1

    def release(self, key: Hashable) -> None:
        """One holder fewer; without any the piece is gone."""
        piece = self._pieces[key]
        piece.holders -= 1
        if not piece.holders:
            del self._pieces[key]
            self._count(piece.part, piece.size, -1)

    def size(self, key: Hashable) -> Bytes:
        """Bytes of a piece."""
        return self._pieces[key].size

    def is_shared(self, key: Hashable) -> bool:
        """Whether more than one holds it."""
        return self._pieces[key].holders > 1

    def is_empty(self) -> bool:
        """Whether nothing lives."""
        return not self._pieces

    def _count(self, part: Part, size: Bytes, times: int) -> None:
        self.parts = self.parts._replace(**{part: getattr(self.parts, part).plus(size, times)})
