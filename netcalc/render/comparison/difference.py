"""What differs between two networks as a ledger: each layer that came, went or changed, and its cost."""

from collections.abc import Iterator, Sequence

from netcalc.analysis import Report, total
from netcalc.analysis.comparison import Comparison
from netcalc.analysis.difference import Difference
from netcalc.render.comparison.ledger import (
    STRETCHES,
    CostColumn,
    LedgerEntry,
    cost_columns,
    difference_of,
    format_costs,
    ledger_entries,
    totals_in_words,
)
from netcalc.render.comparison.words import network_lines
from netcalc.render.layout import Heading, Segment, TableLayout, hanging, lay_out, not_shown, paragraph
from netcalc.render.table.lines import TableView
from netcalc.render.table.words import conditions_in_words

_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_LEAST_NAME = 12
"""Names are cut to this before columns are left out."""
_STYLES = {"added": "green", "removed": "red", "changed": "yellow"}


def difference_lines(comparison: Comparison, width: int | None) -> Iterator[list[Segment]]:
    """The two networks, each difference with its cost, and how the first's totals become the second's."""
    found = difference_of(comparison)
    yield from network_lines(comparison, width)
    yield []
    entries = list(ledger_entries(found.layers))
    columns = [*cost_columns(found.before)]
    layout = _laid_out(entries, _sums(comparison, found, columns), columns, width)
    hidden: list[str] = []
    while width is not None and layout.width > width and len(columns) > 1:
        *columns, last = columns
        hidden.insert(0, " ".join(last.heading.split()))
        layout = _laid_out(entries, _sums(comparison, found, columns), columns, width)
    sums = _sums(comparison, found, columns)
    yield from layout.heading_lines()
    yield layout.rule()
    for entry in entries:
        if entry.status in STRETCHES:
            yield from _stretch(entry, width)
        else:
            yield from _change(entry, layout, columns, width)
    yield layout.rule()
    yield from (layout.line([(text, "bold") for text in row]) for row in sums)
    if hidden:
        yield from not_shown(hidden, width)
    yield []
    yield from paragraph(totals_in_words(found), "bold", width)
    yield from paragraph(conditions_in_words(found.before, TableView()), "dim", width)


def _sums(
    comparison: Comparison, found: Difference, columns: Sequence[CostColumn]
) -> tuple[list[str], list[str], list[str]]:
    """The first network's totals, the difference, and the second's totals."""
    before, after = (member.label for member in comparison.members)
    return (
        [before, *_totals(found.before, columns)],
        ["difference", *format_costs(found.cost, columns)],
        [after, *_totals(found.after, columns)],
    )


def _totals(report: Report, columns: Sequence[CostColumn]) -> list[str]:
    figures = total(map(report.held, report.rows))
    return [column.show(column.read(figures)) for column in columns]


def _laid_out(
    entries: Sequence[LedgerEntry],
    sums: Sequence[Sequence[str]],
    columns: Sequence[CostColumn],
    width: int | None,
) -> TableLayout:
    changes = [entry for entry in entries if entry.status not in STRETCHES]
    rows = [[f"  {entry.label}", *format_costs(entry.cost, columns)] for entry in changes]
    headings = [Heading("", "layer", left=True), *(Heading("", column.heading) for column in columns)]
    layout = lay_out(headings, [*rows, *sums], width)
    is_narrow = width is not None and layout.width > width
    return lay_out(headings, [*rows, *sums], width, _LEAST_NAME) if is_narrow else layout


def _stretch(entry: LedgerEntry, width: int | None) -> Iterator[list[Segment]]:
    """Layers that are unchanged or renamed: one line for all of them."""
    style = "dim" if entry.status == "unchanged" else "cyan"
    yield from hanging([("  ", "")], entry.stretch, style, width, indent=4)


def _change(
    entry: LedgerEntry, layout: TableLayout, columns: Sequence[CostColumn], width: int | None
) -> Iterator[list[Segment]]:
    """A layer that came, went or changed: its cost, and below it what changed."""
    name = (f"{_MARKS[entry.status]} {entry.label}", _STYLES[entry.status])
    costs = format_costs(entry.cost, columns)
    yield layout.line([name, *((cost, "dim" if cost == "0" else "") for cost in costs)])
    yield from paragraph(entry.words, "", width, indent="    ")
