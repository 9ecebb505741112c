"""What differs between two networks as a ledger: each layer that came, went or changed, and its cost."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Any, NamedTuple

from netcalc.analysis import Figures, Report, Row, total
from netcalc.analysis.comparison import Comparison
from netcalc.analysis.difference import Detail, Difference, Step, difference
from netcalc.render.comparison import label_width, network_line, open_json, shorten
from netcalc.render.layout import Heading, Segment, lay_out
from netcalc.render.lines import View
from netcalc.render.markdown import escaped, table_row
from netcalc.render.numbers import exact, scaled, signed, told, with_unit
from netcalc.render.table import byte_units, conditions_in_words
from netcalc.tensor import format_shape

_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_STYLES = {"added": "green", "removed": "red", "changed": "yellow"}
_STRETCHES = ("unchanged", "renamed")
"""What costs nothing and stands in one line for all the layers side by side."""
_SHAPES = ("input", "output")
_LEAST_LABEL = 30


class _Entry(NamedTuple):
    """One line of the ledger: a step, with those in place on it; or unchanged or renamed ones."""

    steps: tuple[Step, ...]

    @property
    def status(self) -> str:
        return self.steps[0].status

    @property
    def cost(self) -> Figures:
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
        options = "".join(f", {name} {told(value)}" for name, value in layer.settings().items())
        return f"{layer.kind}{options}, output {format_shape(step.row.output_shape)}"

    @property
    def stretch(self) -> str:
        """`12 layers unchanged, relu1 to fc8`; `2 layers renamed, a to b, now c to d`."""
        ends = (self.steps[0], self.steps[-1])[: len(self.steps)]
        sides = [[step.before for step in ends], [step.after for step in ends]]
        was, now = (" to ".join(row.node.full_name for row in side if row) for side in sides)
        count = f"{len(self.steps):,} layer{'s' if len(self.steps) > 1 else ''} {self.status}"
        return f"{count}, {now}" if self.status == "unchanged" else f"{count}, {was}, now {now}"


def difference_lines(comparison: Comparison, width: int | None) -> Iterator[list[Segment]]:
    """The two networks, each difference with its cost, and how the first's totals become the second's."""
    found, room = _difference(comparison), width or 100
    labels = [shorten(member.label, label_width(comparison)) for member in comparison.members]
    for member in comparison.members:
        yield network_line(member.label, member.report, label_width(comparison))
    yield []
    entries = list(_entries(found.steps))
    columns = _columns(found.before)
    changes = [entry for entry in entries if entry.status not in _STRETCHES]
    ends = [_held(report) for report in (found.before, found.after)]
    sums = [
        [labels[0], *(show(read(ends[0])) for _, read, show in columns)],
        ["difference", *_costs(found.cost, columns)],
        [labels[1], *(show(read(ends[1])) for _, read, show in columns)],
    ]
    rows = [[f"  {entry.label}", *_costs(entry.cost, columns)] for entry in changes]
    headings = [Heading("", "layer", left=True), *(Heading("", heading) for heading, _, _ in columns)]
    layout = lay_out(headings, [*rows, *sums], width)
    if width is not None and layout.width > width:
        label = max(_LEAST_LABEL, layout.widths[0] - (layout.width - width))
        layout = layout._replace(widths=[label, *layout.widths[1:]])
    yield from layout.heading_lines()
    rule: list[Segment] = [("─" * layout.width, "dim")]
    yield rule
    for entry in entries:
        if entry.status in _STRETCHES:
            parts = wrap(entry.stretch, room - 4, break_on_hyphens=False)
            style = "dim" if entry.status == "unchanged" else "cyan"
            yield from ([("  " + "  " * bool(number) + part, style)] for number, part in enumerate(parts))
            continue
        style = _STYLES[entry.status]
        cells = _costs(entry.cost, columns)
        name = f"{_MARKS[entry.status]} {entry.label}"
        yield layout.line([(name, style), *((cell, "dim" if cell == "0" else "") for cell in cells)])
        yield from ([(f"    {part}", "")] for part in wrap(entry.words, room - 4, break_on_hyphens=False))
    yield rule
    yield from (layout.line([(text, "bold") for text in row]) for row in sums)
    yield []
    words = (totals_in_words(found), conditions_in_words(found.before, View()))
    for text, style in zip(words, ("bold", "dim"), strict=True):
        yield from ([(part, style)] for part in wrap(text, room))


def markdown_chunks(comparison: Comparison) -> Iterator[str]:
    """A table of the differences, with the sum of their costs."""
    found = _difference(comparison)
    columns = _columns(found.before)
    labels = [escaped(member.label) for member in comparison.members]
    yield f"### {labels[0]} to {labels[1]}\n\n"
    headings = (heading.replace("\n", " ") for heading, _, _ in columns)
    yield table_row(["", "layer", "what", *headings])
    yield table_row([":--", ":--", ":--", "--:", "--:", "--:"])
    for entry in _entries(found.steps):
        if entry.status in _STRETCHES:
            yield table_row(["", "", escaped(entry.stretch), "", "", ""])
        else:
            cells = _costs(entry.cost, columns)
            yield table_row([entry.status, escaped(entry.label), escaped(entry.words), *cells])
    yield table_row(["", "**difference**", "", *(f"**{cell}**" for cell in _costs(found.cost, columns))])
    yield f"\n{totals_in_words(found)}\n\n{conditions_in_words(found.before, View())}\n"


def json_chunks(comparison: Comparison, version: str) -> Iterator[str]:
    """The comparison's document, with every layer of both networks under `difference`, one a line."""
    found = _difference(comparison)
    yield from open_json(comparison, version)
    yield ', "difference": {"layers": ['
    for number, step in enumerate(found.steps):
        yield (",\n " if number else "\n ") + json.dumps(_step_dict(step))
    yield '\n], "cost": ' + json.dumps(_cost_dict(found.cost)) + "}}\n"


def totals_in_words(found: Difference) -> str:
    """`+76,666,624 params, +12,903,809,024 multiply-adds, +52.31 MB of outputs`."""
    memory = signed(found.cost.output_bytes, lambda value: with_unit(value, byte_units(found.before)))
    params, macs = (signed(count, exact) for count in (found.cost.params, found.cost.macs))
    return f"{params} params, {macs} multiply-adds, {memory} of outputs"


_Column = tuple[str, Callable[[Figures], int], Callable[[int], str]]


def _columns(report: Report) -> tuple[_Column, ...]:
    kilobyte = byte_units(report)[2][1]
    return (
        ("params\n(k)", lambda figures: figures.params, lambda value: scaled(value, 1000)),
        ("macs\n(M)", lambda figures: figures.macs, lambda value: scaled(value, 1_000_000)),
        (f"memory\n({kilobyte})", lambda figures: figures.output_bytes, lambda value: scaled(value, 1024)),
    )


def _costs(cost: Figures, columns: Sequence[_Column]) -> list[str]:
    return [signed(read(cost), show) for _, read, show in columns]


def _difference(comparison: Comparison) -> Difference:
    before, after = (member.report for member in comparison.members)
    return difference(before, after)


def _held(report: Report) -> Figures:
    return total(map(report.held, report.rows))


def _entries(steps: Iterable[Step]) -> Iterator[_Entry]:
    """The lines of the ledger: unchanged stretches, and changes with what works in place on them."""
    for stretch, members in groupby(steps, key=lambda step: step.status if step.status in _STRETCHES else ""):
        if stretch:
            yield _Entry(tuple(members))
            continue
        entry: tuple[Step, ...] = ()
        for step in members:
            if entry and _folds(step, entry[-1]):
                entry += (step,)
                continue
            if entry:
                yield _Entry(entry)
            entry = (step,)
        yield _Entry(entry)


def _folds(step: Step, previous: Step) -> bool:
    """Whether a step tells nothing beside the one above it: in place, free, and at most of other shape."""
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
    was, now = ("none" if value is None else told(value) for value in (detail.before, detail.after))
    return f"{detail.what} {was} to {now}"


def _shapes(value: Any) -> str:
    """One shape, or several as `8x4x4 + 8x4x4`."""
    several = value and isinstance(value[0], tuple)
    return " + ".join(map(format_shape, value)) if several else format_shape(value)


def _step_dict(step: Step) -> dict[str, Any]:
    return {
        "status": step.status,
        "before": step.before.node.full_name if step.before else None,
        "after": step.after.node.full_name if step.after else None,
        "kind": step.row.node.layer.kind,
        "changes": {detail.what: [detail.before, detail.after] for detail in step.details},
        "cost": _cost_dict(step.cost),
    }


def _cost_dict(cost: Figures) -> dict[str, int]:
    """Figures by name, outputs without what works in place."""
    figures = cost._asdict()
    return {"held_output_bytes" if name == "output_bytes" else name: value for name, value in figures.items()}
