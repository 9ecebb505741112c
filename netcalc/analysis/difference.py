"""Differences between two networks, layer by layer, and the cost of each.

The layers are aligned in the order of both graphs by kind, options, shapes, names, places and neighbours.
Each layer is in exactly one LayerDifference, so the costs add up to the difference of the totals.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from netcalc.analysis.alignment import Match, align
from netcalc.analysis.naming import Names, is_renamed
from netcalc.analysis.report import Figures, Report, Row, total

_Pair = tuple[Row | None, Row | None]

Status = Literal["unchanged", "renamed", "changed", "added", "removed"]
"""A `renamed` layer differs in its name alone."""


class Detail(NamedTuple):
    """One property that differs: an option, a shape, a name or the inputs; None where a layer lacks it."""

    what: str
    before: Any
    after: Any


class LayerDifference(NamedTuple):
    """An aligned pair of layers, or a layer of one network alone; `cost` is after minus before."""

    status: Status
    before: Row | None
    after: Row | None
    details: tuple[Detail, ...]
    cost: Figures

    @property
    def row(self) -> Row:
        """The layer of the second network, otherwise that of the first."""
        row = self.after or self.before
        assert row is not None
        return row


@dataclass(frozen=True)
class Difference:
    """Every layer of two networks, in an order consistent with both."""

    before: Report
    after: Report
    layers: tuple[LayerDifference, ...]

    @cached_property
    def cost(self) -> Figures:
        """The sum of all costs; output bytes exclude layers that work in place."""
        return total(layer.cost for layer in self.layers)


def difference(before: Report, after: Report) -> Difference:
    """Align two reports of one batch, element type and convention, and find what changed."""
    pairs = list(_pairs(before.rows, after.rows, align(before, after)))
    comparer = _Comparer(before, after, pairs)
    return Difference(before, after, tuple(comparer.compare(old, new) for old, new in pairs))


def _pairs(before: Sequence[Row], after: Sequence[Row], matches: Iterable[Match]) -> Iterator[_Pair]:
    """Every row once: matched rows in pairs; between two pairs first the removed, then the added rows."""
    old = new = 0
    for match in (*matches, (len(before), len(after))):
        yield from ((row, None) for row in before[old : match[0]])
        yield from ((None, row) for row in after[new : match[1]])
        if match[0] < len(before):
            yield before[match[0]], after[match[1]]
        old, new = match[0] + 1, match[1] + 1


class _Comparer:
    """Compares two rows, given which tensors of the networks correspond."""

    def __init__(self, before: Report, after: Report, pairs: Iterable[_Pair]) -> None:
        self.before, self.after = before, after
        self.names = tuple(Names(row.node for row in report.rows) for report in (before, after))
        inputs = zip(before.graph.inputs, after.graph.inputs, strict=False)
        self.partners = {old.name: new.name for old, new in inputs}
        self.partners |= {old.node.full_name: new.node.full_name for old, new in pairs if old and new}
        self.matched = frozenset(self.partners.values())

    def compare(self, old: Row | None, new: Row | None) -> LayerDifference:
        was = self.before.held(old) if old else Figures()
        now = self.after.held(new) if new else Figures()
        if old is None or new is None:
            return LayerDifference("added" if new else "removed", old, new, (), now.minus(was))
        details = [*_options(old, new), *_shapes(old, new), *self._connections(old, new)]
        status: Status = "changed" if details else "unchanged"
        if is_renamed(old.node, self.names[0], new.node, self.names[1]):
            details.append(Detail("name", old.node.full_name, new.node.full_name))
            status = "changed" if len(details) > 1 else "renamed"
        return LayerDifference(status, old, new, tuple(details), now.minus(was))

    def _connections(self, old: Row, new: Row) -> Iterator[Detail]:
        """Differences in sharing, training, inputs and in-place execution that no other layer explains."""
        if self._shares_otherwise(old.node.shared, new.node.shared):
            yield Detail("share", old.node.shared, new.node.shared)
        if old.node.is_frozen != new.node.is_frozen:
            yield Detail("trainable", not old.node.is_frozen, not new.node.is_frozen)
        if old.node.init != new.node.init:
            yield Detail("init", old.node.init or None, new.node.init or None)
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
        """Whether an input is another tensor; an added or removed one is a difference of its own."""
        return old in self.partners and new in self.matched and self.partners[old] != new


def _options(old: Row, new: Row) -> Iterator[Detail]:
    """Differences in kind and options; an option of one kind alone counts unless at its default."""
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
