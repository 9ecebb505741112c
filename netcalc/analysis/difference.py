"""What differs between two networks, layer by layer, and what each difference costs.

The layers are aligned along the order of both graphs: first those that are the same, in what is left
between them those of one name, then those of one kind. No layer stands in two steps and none is left
out, so that the costs of the steps add up to the difference of the totals.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from netcalc.analysis.report import Figures, Report, Row, total

_Key = Callable[[Report, Row], Hashable]
_Match = tuple[int, int]
_Pair = tuple[Row | None, Row | None]

Status = Literal["unchanged", "changed", "added", "removed"]

MAX_PAIRS = 4_000_000
"""Between more pairs of layers than this, those that are frequent no longer start a match."""


class Detail(NamedTuple):
    """One thing that differs: an option, a shape, or what a layer reads; None where there is none."""

    what: str
    before: Any
    after: Any


class Step(NamedTuple):
    """A layer of the one network, its match in the other, or both; `cost` is after minus before."""

    status: Status
    before: Row | None
    after: Row | None
    details: tuple[Detail, ...]
    cost: Figures

    @property
    def row(self) -> Row:
        """The layer as it is in the end, or as it was."""
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True)
class Difference:
    """Every layer of two networks, in an order that keeps both of theirs."""

    before: Report
    after: Report
    steps: tuple[Step, ...]

    @cached_property
    def cost(self) -> Figures:
        """The sum of all steps; output bytes leave out what works in place."""
        return total(step.cost for step in self.steps)


def difference(before: Report, after: Report) -> Difference:
    """Align two reports, which are counted alike, and tell what changed from the first to the second.

    Names tell equal layers apart unless more stay the same without: those that are counted by kind
    shift where a layer is put in.
    """
    found = (_steps(before, after, keys) for keys in (_BY_NAME, _BY_SIGNATURE))
    steps = min(found, key=lambda steps: sum(step.status != "unchanged" for step in steps))
    return Difference(before, after, steps)


def _steps(before: Report, after: Report, keys: Sequence[_Key]) -> tuple[Step, ...]:
    pairs = list(_pairs(before.rows, after.rows, _matches(before, after, keys)))
    teller = _Teller(before, after, pairs)
    return tuple(teller.step(old, new) for old, new in pairs)


def _full_name(_: Report, row: Row) -> Hashable:
    return row.node.full_name


def _kind(_: Report, row: Row) -> Hashable:
    return row.node.layer.kind


def _signature(report: Report, row: Row) -> Hashable:
    """All that a row's figures depend on."""
    own = row.node.shared is None, row.node.is_frozen, row.node.full_name in report.in_place
    return row.node.layer, row.input_shapes, row.output_shape, own


def _named_signature(report: Report, row: Row) -> Hashable:
    return row.node.full_name, _signature(report, row)


_BY_SIGNATURE: tuple[_Key, ...] = (_signature, _full_name, _kind)
_BY_NAME: tuple[_Key, ...] = (_named_signature, *_BY_SIGNATURE)


def _matches(before: Report, after: Report, keys: Sequence[_Key]) -> list[_Match]:
    """The numbers of the rows that belong together, rising on both sides."""
    ends = (-1, -1), (len(before.rows), len(after.rows))
    found: list[_Match] = []
    for key in keys:
        numbers: dict[Hashable, int] = {}
        first, second = (
            [numbers.setdefault(key(report, row), len(numbers)) for row in report.rows]
            for report in (before, after)
        )
        gaps = list(pairwise((ends[0], *found, ends[1])))
        for (old, new), (old_end, new_end) in gaps:
            runs = _equal_runs(first[old + 1 : old_end], second[new + 1 : new_end])
            found += ((old + 1 + at, new + 1 + other) for at, other in runs)
        found.sort()
    return found


def _equal_runs(first: Sequence[int], second: Sequence[int]) -> Iterator[_Match]:
    """The places of equal numbers; a common beginning and end need no search, however long."""
    most = min(len(first), len(second))
    head = next((at for at in range(most) if first[at] != second[at]), most)
    rest = most - head
    tail = next((at for at in range(rest) if first[-1 - at] != second[-1 - at]), rest)
    yield from ((at, at) for at in range(head))
    inner = first[head : len(first) - tail], second[head : len(second) - tail]
    is_long = len(inner[0]) * len(inner[1]) > MAX_PAIRS
    for start, other, size in SequenceMatcher(None, *inner, autojunk=is_long).get_matching_blocks():
        yield from ((head + start + at, head + other + at) for at in range(size))
    yield from ((len(first) - at, len(second) - at) for at in range(tail, 0, -1))


def _pairs(before: Sequence[Row], after: Sequence[Row], matches: Iterable[_Match]) -> Iterator[_Pair]:
    """Every row once: those that match together, between them first what went, then what came."""
    old = new = 0
    for match in (*matches, (len(before), len(after))):
        yield from ((row, None) for row in before[old : match[0]])
        yield from ((None, row) for row in after[new : match[1]])
        if match[0] < len(before):
            yield before[match[0]], after[match[1]]
        old, new = match[0] + 1, match[1] + 1


class _Teller:
    """Tells what differs between two rows, knowing which tensors of the networks belong together."""

    def __init__(self, before: Report, after: Report, pairs: Iterable[_Pair]) -> None:
        self.before, self.after = before, after
        inputs = zip(before.graph.inputs, after.graph.inputs, strict=False)
        self.partners = {old.name: new.name for old, new in inputs}
        self.partners |= {old.node.full_name: new.node.full_name for old, new in pairs if old and new}
        self.matched = frozenset(self.partners.values())

    def step(self, old: Row | None, new: Row | None) -> Step:
        was = self.before.held(old) if old else Figures()
        now = self.after.held(new) if new else Figures()
        if old is None or new is None:
            return Step("added" if new else "removed", old, new, (), now.minus(was))
        details = (*_options(old, new), *_shapes(old, new), *self._places(old, new))
        return Step("changed" if details else "unchanged", old, new, details, now.minus(was))

    def _places(self, old: Row, new: Row) -> Iterator[Detail]:
        """What a layer reads and shares, where other steps do not tell it already."""
        if self._shares_otherwise(old.node.shared, new.node.shared):
            yield Detail("share", old.node.shared, new.node.shared)
        if old.node.is_frozen != new.node.is_frozen:
            yield Detail("trainable", not old.node.is_frozen, not new.node.is_frozen)
        if any(map(self._is_another, old.node.inputs, new.node.inputs)):
            yield Detail("reads", old.node.inputs, new.node.inputs)
        was_in_place = old.node.full_name in self.before.in_place
        now_in_place = new.node.full_name in self.after.in_place
        if was_in_place != now_in_place:
            yield Detail("in place", was_in_place, now_in_place)

    def _shares_otherwise(self, old: str | None, new: str | None) -> bool:
        if old is None or new is None:
            return old is not new
        return self.partners.get(old) != new

    def _is_another(self, old: str, new: str) -> bool:
        """Whether two tensors belong to others; one that came or went explains itself."""
        return old in self.partners and new in self.matched and self.partners[old] != new


def _options(old: Row, new: Row) -> Iterator[Detail]:
    """The kind and the options; one that the other kind does not have where it is not at its default."""
    first, second = old.node.layer, new.node.layer
    if first.kind != second.kind:
        yield Detail("kind", first.kind, second.kind)
    in_both = first.options.keys() & second.options.keys()
    for name in dict.fromkeys((*first.options, *second.options)):
        if name in in_both:
            was, now = getattr(first, name), getattr(second, name)
        else:
            was, now = first.settings().get(name), second.settings().get(name)
        if was != now:
            yield Detail(name, was, now)


def _shapes(old: Row, new: Row) -> Iterator[Detail]:
    if old.input_shapes != new.input_shapes:
        yield Detail("input", old.input_shapes, new.input_shapes)
    if old.output_shape != new.output_shape:
        yield Detail("output", old.output_shape, new.output_shape)
