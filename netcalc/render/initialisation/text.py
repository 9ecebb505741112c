"""Statistics of an initialisation as a table for a terminal, a stage a line with its histogram."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netcalc.render.execution.run import share, three_digits
from netcalc.render.initialisation.histogram import histogram_text
from netcalc.render.initialisation.words import mean_text, stage_name
from netcalc.render.layout import LEAST_NAME, Heading, Segment
from netcalc.render.text_table import TextColumn, text_table

if TYPE_CHECKING:
    from netcalc.train.candidates import Candidate
    from netcalc.train.statistics import Signals, StageStatistics

_WIDE = 120
"""From so many columns on a histogram has all its bins, with fewer half of them."""

_STYLES = {"keeps": "green", "collapses": "red", "saturates": "yellow", "explodes": "red"}


def stage_lines(signals: "Signals", width: int | None) -> Iterator[list[Segment]]:
    """One line a stage."""
    rows = signals.stages
    bins = len(rows[0].histogram) if width is None or width >= _WIDE else len(rows[0].histogram) // 2
    low, high = map(three_digits, signals.range)
    axis = f"{low}{high.rjust(bins - len(low))}"
    columns = [
        TextColumn(Heading("", "layer", left=True), [stage_name(row.stage) for row in rows], "cyan"),
        TextColumn(Heading("", "mean"), [mean_text(row.moments) for row in rows], drop=4),
        TextColumn(Heading("", "std"), [three_digits(row.moments.std) for row in rows], "bold"),
        TextColumn(Heading("", "zeros"), [share(row.moments.zeros) for row in rows], drop=2),
        *_optional("saturated", [row.saturated for row in rows], 5),
        *_optional("dead", [row.dead for row in rows], 3),
        *_non_finite(rows),
        *_gradient(rows),
        TextColumn(
            Heading("", axis, left=True),
            [histogram_text(row.histogram, bins) for row in rows],
            "green",
        ),
    ]
    yield from text_table(columns, width, LEAST_NAME)


def candidate_lines(candidates: "Sequence[Candidate]", width: int | None) -> Iterator[list[Segment]]:
    """One line for each initialisation that was tried."""
    signals = [candidate.signals for candidate in candidates]
    styles = [_STYLES[found.verdict] for found in signals]
    columns = [
        TextColumn(Heading("", "init", left=True), [candidate.init for candidate in candidates], "cyan"),
        TextColumn(Heading("std", "first"), [three_digits(s.stages[0].moments.std) for s in signals]),
        TextColumn(Heading("std", "last"), [three_digits(s.stages[-1].moments.std) for s in signals]),
        TextColumn(Heading("std", "ratio"), [three_digits(s.ratio) for s in signals], "bold"),
        *_optional("saturated", [s.saturated for s in signals], 1),
        TextColumn(Heading("", "verdict", left=True), [s.verdict for s in signals], styles),
    ]
    yield from text_table(columns, width)


def _optional(name: str, shares: Sequence[float | None], drop: int) -> list[TextColumn]:
    """A column of shares, where there are some."""
    if all(part is None for part in shares):
        return []
    return [TextColumn(Heading("", name), ["" if part is None else share(part) for part in shares], "", drop)]


def _non_finite(rows: "Sequence[StageStatistics]") -> list[TextColumn]:
    if all(row.moments.is_finite for row in rows):
        return []
    texts = [f"{row.moments.nans + row.moments.infs:,}" for row in rows]
    return [TextColumn(Heading("", "NaN, Inf"), texts, "red")]


def _gradient(rows: "Sequence[StageStatistics]") -> list[TextColumn]:
    if all(row.gradient is None for row in rows):
        return []
    texts = [three_digits(row.gradient) for row in rows]
    return [TextColumn(Heading("", "gradient std"), texts, "", drop=1)]
