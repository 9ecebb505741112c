"""What the formats of a comparison share: networks, measures and ratios in words."""

from netcalc.analysis import Report
from netcalc.analysis.comparison import Comparison, Measure
from netcalc.render.layout import Segment
from netcalc.render.numbers import byte_units, exact, ratio, shorten, with_unit
from netcalc.render.table.words import input_shapes

_MOST_LABEL = 40


def network_line(label: str, report: Report, width: int) -> list[Segment]:
    """A network's name, input and number of layers."""
    count = len(report.rows)
    words = f"  ·  input {input_shapes(report.graph)}  ·  {exact(count)} layer{'s' if count > 1 else ''}"
    return [(shorten(label, width).ljust(width), "bold"), (words, "")]


def label_width(comparison: Comparison) -> int:
    """Room for the longest label, within reason."""
    return min(max(len(member.label) for member in comparison.members), _MOST_LABEL)


def ratios(comparison: Comparison, measure: Measure) -> list[str]:
    """How many times the first network's figure each of the others has."""
    first, *others = comparison.values(measure)
    return ["", *(ratio(value, first) for value in others)]


def format_measure(comparison: Comparison, measure: Measure, value: int) -> str:
    """A measure's value, with a unit where it has one."""
    units = byte_units(comparison.members[0].report.convention.name)
    return with_unit(value, units) if measure.unit else exact(value)
