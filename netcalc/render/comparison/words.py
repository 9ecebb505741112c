"""What the formats of a comparison share: networks, measures and ratios in words."""

from collections.abc import Iterator

from rich.cells import cell_len

from netcalc.analysis.comparison import Comparison, Measure
from netcalc.render.escaping import visible
from netcalc.render.layout import Segment, title_lines
from netcalc.render.numbers import byte_units, exact, ratio, with_unit
from netcalc.render.table.words import input_shapes

_LEAST_LABEL, _MOST_LABEL = 16, 40


def network_lines(comparison: Comparison, width: int | None) -> Iterator[list[Segment]]:
    """Each network's name, input and number of layers; the names in one column where there is room."""
    labels = [visible(member.label) for member in comparison.members]
    longest = max(map(cell_len, labels))
    column = longest if width is None or longest <= width // 2 else 0
    for label, member in zip(labels, comparison.members, strict=True):
        count = len(member.report.rows)
        layers = f"{exact(count)} layer{'s' if count > 1 else ''}"
        facts = f"input {input_shapes(member.report.graph)}", layers
        padded = label + " " * (column - cell_len(label))
        yield from title_lines((padded, "bold"), facts, width)


def label_width(comparison: Comparison, width: int | None) -> int:
    """Room for the longest label; on a terminal within reason."""
    longest = max(cell_len(visible(member.label)) for member in comparison.members)
    return longest if width is None else min(longest, _MOST_LABEL, max(_LEAST_LABEL, width * 2 // 5))


def ratios(comparison: Comparison, measure: Measure) -> list[str]:
    """How many times the first network's figure each of the others has."""
    first, *others = comparison.values(measure)
    return ["", *(ratio(value, first) for value in others)]


def format_measure(comparison: Comparison, measure: Measure, value: int) -> str:
    """A measure's value, with a unit where it has one."""
    units = byte_units(comparison.members[0].report.convention.name)
    return with_unit(value, units) if measure.unit else exact(value)
