"""A comparison and a difference as Markdown tables."""

from collections.abc import Iterator

from netcalc.analysis.comparison import Comparison
from netcalc.render.comparison.ledger import (
    STRETCHES,
    cost_columns,
    difference_of,
    format_costs,
    ledger_entries,
    totals_in_words,
)
from netcalc.render.comparison.words import format_measure, ratios
from netcalc.render.markdown import escaped, table_row
from netcalc.render.numbers import exact
from netcalc.render.table.lines import TableView
from netcalc.render.table.words import conditions_in_words, input_shapes


def markdown_chunks(comparison: Comparison) -> Iterator[str]:
    """A table with a column for each network, ratios in parentheses."""
    members, measures = comparison.members, comparison.measures
    yield table_row(["", *(escaped(member.label) for member in members)])
    yield table_row([":--", *("--:" for _ in members)])
    yield table_row(["input", *(input_shapes(member.report.graph) for member in members)])
    yield table_row(["layers", *(exact(len(member.report.rows)) for member in members)])
    for measure in measures:
        cells = []
        for value, factor in zip(comparison.values(measure), ratios(comparison, measure), strict=True):
            cells.append(format_measure(comparison, measure, value) + (f" ({factor})" if factor else ""))
        yield table_row([measure.words, *cells])
    yield f"\n{conditions_in_words(members[0].report, TableView())}\n"


def difference_markdown_chunks(comparison: Comparison) -> Iterator[str]:
    """A table of the differences, with the sum of their costs."""
    found = difference_of(comparison)
    columns = cost_columns(found.before)
    labels = [escaped(member.label) for member in comparison.members]
    yield f"### {labels[0]} to {labels[1]}\n\n"
    headings = (column.heading.replace("\n", " ") for column in columns)
    yield table_row(["", "layer", "what", *headings])
    yield table_row([":--", ":--", ":--", "--:", "--:", "--:"])
    for entry in ledger_entries(found.layers):
        if entry.status in STRETCHES:
            yield table_row(["", "", escaped(entry.stretch), "", "", ""])
        else:
            cells = format_costs(entry.cost, columns)
            yield table_row([entry.status, escaped(entry.label), escaped(entry.words), *cells])
    yield table_row(
        ["", "**difference**", "", *(f"**{cell}**" for cell in format_costs(found.cost, columns))]
    )
    yield f"\n{totals_in_words(found)}\n\n{conditions_in_words(found.before, TableView())}\n"
