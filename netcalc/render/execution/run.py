"""What a run gave: the outputs' statistics, or the classes that score highest."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from netcalc.render.escaping import visible
from netcalc.render.layout import LEAST_NAME, Heading, Segment, TableLayout, paragraph
from netcalc.render.text_table import TextColumn, text_table
from netcalc.tensor import Shape, format_shape

if TYPE_CHECKING:
    from netcalc.backend.profiling import Moments


_LEAST_BAR, _LONGEST_BAR = 6, 30
_LEAST_CLASS = 20
"""The least width of a class's name."""
_SCORE = 11
"""The columns of a probability, with the gaps around it."""


class Scored(NamedTuple):
    """A class with its probability."""

    name: str
    probability: float


def outputs_lines(
    outputs: Mapping[str, tuple[Shape, "Moments"]], width: int | None
) -> Iterator[list[Segment]]:
    """One line an output: its shape with the batch, and its moments."""
    shapes = [format_shape(shape) for shape, _ in outputs.values()]
    columns = [
        TextColumn(Heading("", "output", left=True), list(outputs), "cyan"),
        TextColumn(Heading("", "shape"), shapes, drop=2),
        *moment_columns([moments for _, moments in outputs.values()], [""] * len(outputs)),
    ]
    yield from text_table(columns, width, LEAST_NAME)


def classes_lines(
    samples: Sequence[Sequence[Scored]], labels: Sequence[str], width: int | None
) -> Iterator[list[Segment]]:
    """The best classes of each sample with bars; `labels` name the samples."""
    longest = max(cell_len(visible(scored.name)) for sample in samples for scored in sample)
    bar = _LONGEST_BAR
    if width is not None:
        longest = max(_LEAST_CLASS, min(longest, width - _SCORE - _LEAST_BAR))
        bar = max(0, min(bar, width - _SCORE - longest))
    headings = [Heading("", "", left=True), Heading("", ""), Heading("", "", left=True)]
    layout = TableLayout(headings, [longest, 7, bar], [0, 2, 2])
    for number, (label, sample) in enumerate(zip(labels, samples, strict=True)):
        if number:
            yield []
        if len(samples) > 1:
            yield from paragraph(label, "bold", width)
        for scored in sample:
            drawn = "█" * max(1, round(bar * scored.probability)) if scored.probability >= 0.001 else ""
            share = f"{100 * scored.probability:.2f}%"
            yield layout.line([(scored.name, "cyan"), (share, "bold"), (drawn, "green")])


def moment_columns(listed: Sequence["Moments"], styles: Sequence[str], digits: int = 3) -> list[TextColumn]:
    """Mean, std, minimum and maximum to `digits` digits, the share of zeros, the count of NaN and Inf.

    The last is left out where all values are finite.
    """
    columns = [
        TextColumn(Heading("", name), [f"{value:.{digits}g}" for value in values], styles, drop)
        for name, drop, values in zip(
            ("mean", "std", "min", "max"), (0, 5, 3, 4), list(zip(*listed, strict=True))[:4], strict=True
        )
    ]
    columns.append(TextColumn(Heading("", "zeros"), [share(moments.zeros) for moments in listed], styles, 1))
    if not all(moments.is_finite for moments in listed):
        columns.append(TextColumn(Heading("", ""), [_non_finite(moments) for moments in listed], styles))
    return columns


def _non_finite(moments: "Moments") -> str:
    counts = (moments.nans, "NaN"), (moments.infs, "Inf")
    return ", ".join(f"{count:,} {name}" for count, name in counts if count)


def three_digits(value: float | None) -> str:
    """`0.0123`, `12.3`, `1.2e-05`."""
    return "" if value is None else f"{value:.3g}"


def finite(value: float | None) -> float | None:
    """A number as JSON has it: null where it is infinite or none."""
    return value if value is not None and math.isfinite(value) else None


def share(part: float) -> str:
    """A share in percent; `<1%` rather than 0% for a small one."""
    if part == 0:
        return "0%"
    return f"{100 * part:.0f}%" if part >= 0.005 else "<1%"
