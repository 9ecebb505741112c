"""The ledger of a difference: its entries, their costs, and both in words."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from netcalc.analysis import Figures, Report, Row, total
from netcalc.analysis.comparison import Comparison
from netcalc.analysis.difference import Detail, Difference, LayerDifference, difference
from netcalc.render.numbers import byte_units, exact, format_option, scaled, signed, with_unit
from netcalc.tensor import format_shape

STRETCHES = ("unchanged", "renamed")
"""Statuses that cost nothing: consecutive layers of one share a line."""
_SHAPES = ("input", "output")


class LedgerEntry(NamedTuple):
    """One line of the ledger: a step and the in-place ones after it, or a run of unchanged or renamed."""

    steps: tuple[LayerDifference, ...]

    @property
    def status(self) -> str:
        """added, removed, changed, unchanged or renamed."""
        return self.steps[0].status

    @property
    def cost(self) -> Figures:
        """What the second network takes more than the first."""
        return total(step.cost for step in self.steps)

    @property
    def label(self) -> str:
        """`conv1, now conv1_1 + relu`."""
        step = self.steps[0]
        names = dict.fromkeys(row.node.full_name for row in (step.before, step.after) if row)
        kinds = (later.row.node.layer.kind for later in self.steps[1:])
        return " + ".join((", now ".join(names), *kinds))

    @property
    def words(self) -> str:
        """What changed, or what came or went."""
        step = self.steps[0]
        if step.status == "changed":
            return ", ".join(_detail(detail) for detail in step.details if detail.what != "name")
        layer = step.row.node.layer
        options = "".join(f", {name} {format_option(value)}" for name, value in layer.settings().items())
        return f"{layer.kind}{options}, output {format_shape(step.row.output_shape)}"

    @property
    def stretch(self) -> str:
        """`12 layers unchanged, relu1 to fc8`; `2 layers renamed, a to b, now c to d`."""
        ends = (self.steps[0], self.steps[-1])[: len(self.steps)]
        sides = [[step.before for step in ends], [step.after for step in ends]]
        was, now = (" to ".join(row.node.full_name for row in side if row) for side in sides)
        count = f"{len(self.steps):,} layer{'s' if len(self.steps) > 1 else ''} {self.status}"
        return f"{count}, {now}" if self.status == "unchanged" else f"{count}, {was}, now {now}"


def ledger_entries(steps: Iterable[LayerDifference]) -> Iterator[LedgerEntry]:
    """The lines of the ledger: runs of unchanged layers, and changes with the in-place layers after them."""
    for stretch, members in groupby(steps, key=lambda step: step.status if step.status in STRETCHES else ""):
        if stretch:
            yield LedgerEntry(tuple(members))
            continue
        entry: tuple[LayerDifference, ...] = ()
        for step in members:
            if entry and _folds(step, entry[-1]):
                entry += (step,)
                continue
            if entry:
                yield LedgerEntry(entry)
            entry = (step,)
        yield LedgerEntry(entry)


def _folds(step: LayerDifference, previous: LayerDifference) -> bool:
    """Whether a step goes into the entry above it: in place, at no cost, with no change but a shape's."""
    free = not (step.cost.params or step.cost.macs or step.cost.output_bytes)
    alike = all(detail.what in _SHAPES for detail in step.details)
    follows = all(
        _reads(row, above)
        for row, above in ((step.before, previous.before), (step.after, previous.after))
        if row
    )
    in_place = step.row.node.layer.overwrites_input
    return free and alike and follows and in_place and step.status == previous.status


def _reads(row: Row, above: Row | None) -> bool:
    return above is not None and row.node.inputs == (above.node.full_name,)


def _detail(detail: Detail) -> str:
    if detail.what == "reads":
        return f"reads {', '.join(detail.after)}, not {', '.join(detail.before)}"
    if detail.what == "in place":
        return "works in place" if detail.after else "works in place no more"
    if detail.what in _SHAPES:
        return f"{detail.what} {_shapes(detail.before)} to {_shapes(detail.after)}"
    was, now = ("none" if value is None else format_option(value) for value in (detail.before, detail.after))
    return f"{detail.what} {was} to {now}"


def _shapes(value: Any) -> str:
    """One shape, or several as `8x4x4 + 8x4x4`."""
    several = value and isinstance(value[0], tuple)
    return " + ".join(map(format_shape, value)) if several else format_shape(value)


class CostColumn(NamedTuple):
    """A column of costs: its names, the figure that it shows, and how."""

    name: str
    heading: str
    read: Callable[[Figures], int]
    show: Callable[[int], str]


def cost_columns(report: Report) -> tuple[CostColumn, ...]:
    """Parameters, multiply-adds and memory, in the units of a report."""
    kilobyte = byte_units(report.convention.name)[2][1]
    return (
        CostColumn("params", "params\n(k)", lambda cost: cost.params, lambda value: scaled(value, 1000)),
        CostColumn("macs", "macs\n(M)", lambda cost: cost.macs, lambda value: scaled(value, 1_000_000)),
        CostColumn(
            "held_output_bytes",
            f"memory\n({kilobyte})",
            lambda cost: cost.output_bytes,
            lambda value: scaled(value, 1024),
        ),
    )


def format_costs(cost: Figures, columns: Sequence[CostColumn]) -> list[str]:
    """The cells of a cost, each with its sign."""
    return [signed(column.read(cost), column.show) for column in columns]


def difference_of(comparison: Comparison) -> Difference:
    """The difference between the two networks of a comparison."""
    before, after = (member.report for member in comparison.members)
    return difference(before, after)


def totals_in_words(found: Difference) -> str:
    """`+76,666,624 params, +12,903,809,024 multiply-adds, +52.31 MB of outputs`."""
    units = byte_units(found.before.convention.name)
    memory = signed(found.cost.output_bytes, lambda value: with_unit(value, units))
    params, macs = (signed(count, exact) for count in (found.cost.params, found.cost.macs))
    return f"{params} params, {macs} multiply-adds, {memory} of outputs"
