"""Comparison of several networks: totals side by side, and their ratios to those of the first.

After the lecture's page "AlexNet vs VGG-16" (EECS 498-007, lecture 7), which compares the memory of the
outputs of convolution and linear layers, the parameters and the multiply-adds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from netcalc.analysis.report import Report, total


class Measure(NamedTuple):
    """A total to compare; `unit` is `bytes` or empty."""

    name: str
    words: str
    of: Callable[[Report], int]
    unit: str = ""


class Member(NamedTuple):
    """One of the compared networks."""

    label: str
    report: Report


@dataclass(frozen=True)
class Comparison:
    """Networks of one batch, element type and convention; the first is the baseline."""

    members: tuple[Member, ...]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The totals to compare; FLOPs only where they differ from multiply-adds."""
        convention = self.members[0].report.convention
        figures = [member.report.totals for member in self.members]
        measures = tuple(
            measure
            for measure in _MEASURES
            if measure is not _TRAINABLE or any(f.trainable_params < f.params for f in figures)
        )
        if convention.name == "macs":
            return measures
        words = f"{convention.unit} ({convention.name} convention)"
        return (*measures, Measure("flops", words, lambda report: report.totals.flops))

    def values(self, measure: Measure) -> list[int]:
        """The value of a measure for each network."""
        return [measure.of(member.report) for member in self.members]


def compare(reports: Sequence[Report], given: Sequence[str]) -> Comparison:
    """Compare reports under unique labels: their names, or those `given`.

    Raises ValueError for fewer than two reports, and for different batches, element types or conventions.
    """
    if len(reports) < 2:
        raise ValueError(f"a comparison needs two networks or more, not {len(reports)}")
    if len({(report.batch, report.dtype, report.convention.name) for report in reports}) > 1:
        raise ValueError("only reports of one batch, dtype and convention can be compared")
    return Comparison(tuple(map(Member, _labels(reports, given), reports)))


def _labels(reports: Sequence[Report], given: Sequence[str]) -> list[str]:
    names = [report.graph.name for report in reports]
    for labels in (names, list(given)):
        if len(set(labels)) == len(labels):
            return labels
    return [f"{name} ({number})" for number, name in enumerate(names, 1)]


def _weighted_bytes(report: Report) -> int:
    return sum(row.figures.output_bytes for row in report.rows if row.node.layer.weighted)


def _held_bytes(report: Report) -> int:
    return total(map(report.held, report.rows)).output_bytes


_TRAINABLE = Measure("trainable_params", "trainable params", lambda report: report.totals.trainable_params)
"""Shown if some parameters are frozen."""
_MEASURES = (
    Measure("weighted_output_bytes", "outputs of conv and linear layers", _weighted_bytes, "bytes"),
    Measure("held_output_bytes", "all outputs, activations in place", _held_bytes, "bytes"),
    Measure("params", "params", lambda report: report.totals.params),
    _TRAINABLE,
    Measure("macs", "multiply-adds", lambda report: report.totals.macs),
)
