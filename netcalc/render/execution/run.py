"""What a run gave: the outputs' statistics, or the classes that score highest."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcalc.render.layout import Heading, Segment, lay_out
from netcalc.tensor import Shape, format_shape

if TYPE_CHECKING:
    from netcalc.backend.profiling import Moments


class Scored(NamedTuple):
    """A class with its probability."""

    name: str
    probability: float


def outputs_lines(outputs: Mapping[str, tuple[Shape, "Moments"]]) -> Iterator[list[Segment]]:
    """One line an output: its shape with the batch, and its moments."""
    headings = [Heading("", "output", left=True), Heading("", "shape"), *moment_headings()]
    rows = [[name, format_shape(shape), *moment_cells(moments)] for name, (shape, moments) in outputs.items()]
    layout = lay_out(headings, rows, None)
    yield from layout.heading_lines()
    for row in rows:
        yield layout.named_line(row)


def classes_lines(samples: Sequence[Sequence[Scored]], labels: Sequence[str]) -> Iterator[list[Segment]]:
    """The best classes of each sample with bars; `labels` name the samples."""
    longest = max(len(scored.name) for sample in samples for scored in sample)
    for number, (label, sample) in enumerate(zip(labels, samples, strict=True)):
        if number:
            yield []
        if len(samples) > 1:
            yield [(label, "bold")]
        for scored in sample:
            bar = "█" * max(1, round(30 * scored.probability)) if scored.probability >= 0.001 else ""
            yield [
                (f"{scored.name:<{longest}}", "cyan"),
                (f"  {100 * scored.probability:6.2f}%  ", "bold"),
                (bar, "green"),
            ]


def moment_headings() -> list[Heading]:
    """The headings of `moment_cells`."""
    return [Heading("", text) for text in ("mean", "std", "min", "max", "zeros", "")]


def moment_cells(moments: "Moments", digits: int = 3) -> list[str]:
    """Mean, std, minimum and maximum to `digits` digits, the share of zeros, the count of NaN and Inf."""
    values = (moments.mean, moments.std, moments.min, moments.max)
    non_finite = [
        f"{count:,} {name}" for count, name in ((moments.nans, "NaN"), (moments.infs, "Inf")) if count
    ]
    return [*(f"{value:.{digits}g}" for value in values), share(moments.zeros), ", ".join(non_finite)]


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
