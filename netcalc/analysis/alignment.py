"""Sequence alignment of the layers of two networks.

The global alignment of the highest score (Needleman and Wunsch 1970), where a pair of layers scores for equal
kind, options, shapes, names, places and neighbours. A numbered name scores little, since the numbers shift
where a layer is inserted.
"""

from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any, NamedTuple

from netcalc.analysis.naming import Names, role
from netcalc.analysis.report import Report, Row
from netcalc.layers import Layer

Match = tuple[int, int]

MAX_PAIRS = 400_000
"""Above this number of pairs, layers that are equal and have equal names are matched first."""

_KIND, _FAMILY = 40, 5
_OPTIONS, _SHAPE, _SAME = 20, 10, 20
_NAME, _NUMBERED_NAME = 40, 3
_PLACE, _NUMBERED_PLACE = 24, 12
_NEIGHBOURS = 6
_ROLE = 40


class _Traits(NamedTuple):
    """The properties of a row that are compared."""

    layer: Layer
    input_shapes: Any
    output_shape: Any
    role: tuple[str, ...]
    producers: tuple[str, ...]
    readers: tuple[str, ...]


class _Network:
    """One of the two networks: its rows and their properties."""

    def __init__(self, report: Report) -> None:
        self.rows = report.rows
        self.names = Names(row.node for row in report.rows)
        kinds = {row.node.full_name: row.node.layer.kind for row in report.rows}
        readers = report.graph.readers
        self.traits = [
            _Traits(
                row.node.layer, row.input_shapes, row.output_shape, role(row.node),
                tuple(kinds.get(name, "") for name in row.node.inputs),
                tuple(reader.layer.kind for reader in readers[row.node.full_name]),
            )
            for row in report.rows
        ]  # fmt: skip


def align(before: Report, after: Report) -> list[Match]:
    """The numbers of the matched rows, ascending on both sides."""
    aligner = _Aligner(_Network(before), _Network(after))
    ends = (-1, -1), (len(before.rows), len(after.rows))
    anchors = aligner.anchors()
    matches = list(anchors)
    for (old, new), (old_end, new_end) in pairwise((ends[0], *anchors, ends[1])):
        matches += aligner.best(old + 1, old_end, new + 1, new_end)
    return sorted(matches)


class _Aligner:
    """Aligns stretches of the two sequences of rows."""

    def __init__(self, before: _Network, after: _Network) -> None:
        self.before = before
        self.after = after
        self._known: dict[tuple[_Traits, _Traits], int] = {}

    def anchors(self) -> list[Match]:
        """Equal layers of equal names at both ends of the networks, and inside where these are long."""
        first, second = (
            [(row.node.full_name, *traits[:3]) for row, traits in zip(side.rows, side.traits, strict=True)]
            for side in (self.before, self.after)
        )
        most = min(len(first), len(second))
        head = next((at for at in range(most) if first[at] != second[at]), most)
        rest = most - head
        tail = next((at for at in range(rest) if first[-1 - at] != second[-1 - at]), rest)
        found = [(at, at) for at in range(head)]
        sizes = len(first) - head - tail, len(second) - head - tail
        if sizes[0] * sizes[1] > MAX_PAIRS:
            inner = first[head : len(first) - tail], second[head : len(second) - tail]
            found += ((head + at, head + other) for at, other in _equal_runs(*inner))
        return found + [(len(first) - at, len(second) - at) for at in range(tail, 0, -1)]

    def best(self, old: int, old_end: int, new: int, new_end: int) -> Iterator[Match]:
        """The alignment of highest score of two stretches, by dynamic programming."""
        if (old_end - old) * (new_end - new) > MAX_PAIRS:
            yield from self._approximate(old, old_end, new, new_end)
            return
        width = new_end - new + 1
        above = [0] * width
        directions = []  # 0 up, 1 left, 2 diagonal
        for i in range(old, old_end):
            row, direction = [0] * width, bytearray(width)
            for j in range(1, width):
                score = self._score(i, new + j - 1)
                diagonal = above[j - 1] + score if score else -1
                up, left = above[j], row[j - 1]
                if diagonal >= up and diagonal >= left:
                    row[j], direction[j] = diagonal, 2
                elif left > up:
                    row[j], direction[j] = left, 1
                else:
                    row[j] = up
            directions.append(direction)
            above = row
        i, j = old_end - old, width - 1
        while i and j:
            step = directions[i - 1][j]
            if step == 2:
                yield old + i - 1, new + j - 1
            i, j = i - (step != 1), j - (step != 0)

    def _approximate(self, old: int, old_end: int, new: int, new_end: int) -> Iterator[Match]:
        """Pairs of layers equal but for their names, where there are too many pairs to score."""
        first = [traits[:3] for traits in self.before.traits[old:old_end]]
        second = [traits[:3] for traits in self.after.traits[new:new_end]]
        yield from ((old + at, new + other) for at, other in _equal_runs(first, second))

    def _score(self, i: int, j: int) -> int:
        """The score of a pair of rows; 0 where they cannot match."""
        pair = self.before.traits[i], self.after.traits[j]
        if (known := self._known.get(pair)) is None:
            known = self._known[pair] = _similarity(*pair)
        names = self._names(self.before.rows[i], self.after.rows[j])
        return known + names if known or names >= _NAME else 0

    def _names(self, old: Row, new: Row) -> int:
        one, two = old.node, new.node
        score = 0
        if one.name == two.name:
            numbered = self.before.names.is_numbered((*one.path, one.name))
            is_numbered = numbered and self.after.names.is_numbered((*two.path, two.name))
            score = _NUMBERED_NAME if is_numbered else _NAME
        return score + self._place(one.path, two.path)

    def _place(self, old: Sequence[str], new: Sequence[str]) -> int:
        """A score for the common outer blocks, with less weight for numbered names."""
        longest = max(len(old), len(new))
        score = _PLACE if not longest else 0
        for end in range(1, min(len(old), len(new)) + 1):
            if old[end - 1] != new[end - 1]:
                break
            numbered = self.before.names.is_numbered(old[:end]) and self.after.names.is_numbered(new[:end])
            score += (_NUMBERED_PLACE if numbered else _PLACE) // longest + 1
        return score


def _similarity(old: _Traits, new: _Traits) -> int:
    """The score of two layers without their names; 0 where their families differ."""
    if old.layer.family != new.layer.family:
        return 0
    around = _NEIGHBOURS * ((old.producers == new.producers) + (old.readers == new.readers))
    around += _ROLE * (old.role == new.role)
    if old.layer.kind != new.layer.kind:
        return _FAMILY + around
    shapes = int(old.input_shapes == new.input_shapes) + int(old.output_shape == new.output_shape)
    if old.layer == new.layer:
        return _KIND + _OPTIONS + _SHAPE * shapes + _SAME * (shapes == 2) + around
    names = old.layer.options
    alike: int = sum(getattr(old.layer, name) == getattr(new.layer, name) for name in names)
    return _KIND + _OPTIONS * alike // len(names) + _SHAPE * shapes + around


def _equal_runs(first: Sequence[Hashable], second: Sequence[Hashable]) -> Iterator[Match]:
    """The positions of equal items in common runs of two sequences."""
    is_long = len(first) * len(second) > 10 * MAX_PAIRS
    for start, other, size in SequenceMatcher(None, first, second, autojunk=is_long).get_matching_blocks():
        yield from ((start + at, other + at) for at in range(size))
