"""Which layers of two networks belong together, in an order that keeps both of theirs.

The alignment is the one of the highest score (Needleman and Wunsch 1970), where two layers score for their
kind, options, shapes, names, places and neighbours. A name that is only counted scores little, since it
shifts where a layer is put in.
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
"""More pairs of layers than these are not all scored: those that are the same, by name, are set first."""

_KIND, _FAMILY = 40, 5
_OPTIONS, _SHAPE, _SAME = 20, 10, 20
_NAME, _COUNTED_NAME = 40, 3
_PLACE, _COUNTED_PLACE = 24, 12
_NEIGHBOURS = 6
_ROLE = 40


class _Traits(NamedTuple):
    """What two rows are held against each other by."""

    layer: Layer
    input_shapes: Any
    output_shape: Any
    role: tuple[str, ...]
    makers: tuple[str, ...]
    readers: tuple[str, ...]


class _Side:
    """One network: what its rows are, each distinct thing numbered."""

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
    """The numbers of the rows that belong together, rising on both sides."""
    aligner = _Aligner(_Side(before), _Side(after))
    ends = (-1, -1), (len(before.rows), len(after.rows))
    anchors = aligner.anchors()
    found = list(anchors)
    for (old, new), (old_end, new_end) in pairwise((ends[0], *anchors, ends[1])):
        found += aligner.best(old + 1, old_end, new + 1, new_end)
    return sorted(found)


class _Aligner:
    def __init__(self, before: _Side, after: _Side) -> None:
        self.before = before
        self.after = after
        self._known: dict[tuple[_Traits, _Traits], int] = {}

    def anchors(self) -> list[Match]:
        """Layers that are the same: at both ends of the networks, and inside where they are long."""
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
        """The best alignment of two stretches."""
        if (old_end - old) * (new_end - new) > MAX_PAIRS:
            yield from self._rough(old, old_end, new, new_end)
            return
        width = new_end - new + 1
        above = [0] * width
        ways = []  # 0 up, 1 left, 2 together
        for i in range(old, old_end):
            row, way = [0] * width, bytearray(width)
            for j in range(1, width):
                score = self._score(i, new + j - 1)
                together = above[j - 1] + score if score else -1
                up, left = above[j], row[j - 1]
                if together >= up and together >= left:
                    row[j], way[j] = together, 2
                elif left > up:
                    row[j], way[j] = left, 1
                else:
                    row[j] = up
            ways.append(way)
            above = row
        i, j = old_end - old, width - 1
        while i and j:
            way_here = ways[i - 1][j]
            if way_here == 2:
                yield old + i - 1, new + j - 1
            i, j = i - (way_here != 1), j - (way_here != 0)

    def _rough(self, old: int, old_end: int, new: int, new_end: int) -> Iterator[Match]:
        """Equal layers, whatever their names, where there are too many pairs to score."""
        first = [traits[:3] for traits in self.before.traits[old:old_end]]
        second = [traits[:3] for traits in self.after.traits[new:new_end]]
        yield from ((old + at, new + other) for at, other in _equal_runs(first, second))

    def _score(self, i: int, j: int) -> int:
        """What two rows have in common; 0 where they do not belong together."""
        pair = self.before.traits[i], self.after.traits[j]
        if (known := self._known.get(pair)) is None:
            known = self._known[pair] = _likeness(*pair)
        named = self._names(self.before.rows[i], self.after.rows[j])
        return known + named if known or named >= _NAME else 0

    def _names(self, old: Row, new: Row) -> int:
        one, two = old.node, new.node
        score = 0
        if one.name == two.name:
            counted = self.before.names.is_counted((*one.path, one.name))
            is_counted = counted and self.after.names.is_counted((*two.path, two.name))
            score = _COUNTED_NAME if is_counted else _NAME
        return score + self._place(one.path, two.path)

    def _place(self, old: Sequence[str], new: Sequence[str]) -> int:
        """The blocks that both stand in, from the outside in, with less weight for counted ones."""
        longest = max(len(old), len(new))
        score = _PLACE if not longest else 0
        for end in range(1, min(len(old), len(new)) + 1):
            if old[end - 1] != new[end - 1]:
                break
            counted = self.before.names.is_counted(old[:end]) and self.after.names.is_counted(new[:end])
            score += (_COUNTED_PLACE if counted else _PLACE) // longest + 1
        return score


def _likeness(old: _Traits, new: _Traits) -> int:
    """What two layers have in common beside their names; 0 for unlike ones."""
    if old.layer.family != new.layer.family:
        return 0
    around = _NEIGHBOURS * ((old.makers == new.makers) + (old.readers == new.readers))
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
    """The places of equal things in equal stretches."""
    is_long = len(first) * len(second) > 10 * MAX_PAIRS
    for start, other, size in SequenceMatcher(None, first, second, autojunk=is_long).get_matching_blocks():
        yield from ((start + at, other + at) for at in range(size))
