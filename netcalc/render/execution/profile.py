"""The profile of a run, layer by layer: outputs and times, and gradient norms of the backward pass."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netcalc.render.execution.run import moment_cells, moment_headings, three_digits
from netcalc.render.layout import Heading, Segment, lay_out, paragraph
from netcalc.tensor import format_shape

if TYPE_CHECKING:
    from netcalc.backend.profiling import BackwardProfile, ForwardProfile

_NON_FINITE = 7
"""The column of NaN and Inf."""
_LEAST_NAME = 20
_WIDE = 100
"""Columns from which on numbers have three digits."""
_MARKS = {"vanishing": "yellow", "exploding": "bold red", "not finite": "bold red"}


def trace_lines(rows: Sequence["ForwardProfile"], width: int | None) -> Iterator[list[Segment]]:
    """One line a layer of the forward run, then the totals."""
    headings = [
        Heading("", "layer", left=True),
        Heading("", "output"),
        *moment_headings(),
        Heading("", "ms"),
        Heading("", "GFLOP/s"),
    ]
    cells = [_forward(row, _digits(width)) for row in rows]
    if all(row.moments.is_finite for row in rows):  # then the column for what is not finite is empty
        del headings[_NON_FINITE]
        for texts in cells:
            del texts[_NON_FINITE]
    layout = lay_out(headings, cells, width, _LEAST_NAME)
    yield from layout.heading_lines()
    for row, texts in zip(rows, cells, strict=True):
        style = "" if row.moments.is_finite else "bold red" if row.begins else "red"
        yield layout.named_line(texts, style)
    yield []
    seconds = sum(row.seconds for row in rows)
    operations = sum(row.operations for row in rows)
    rate = operations / seconds / 1e9 if seconds else 0
    yield [(f"{1000 * seconds:,.1f} ms in all, {rate:,.1f} GFLOP/s", "bold")]
    words = "mean to max over finite values; 2 operations a multiply-add, 1 for every other"
    yield from paragraph(words, "dim", width)
    for row in rows:
        if row.begins:
            yield [(f"{_non_finite(row)} begins at {row.node.full_name}", "bold red")]
            return


def backward_lines(rows: Sequence["BackwardProfile"], width: int | None) -> Iterator[list[Segment]]:
    """One line a layer of the backward pass, from the output to the input."""
    headings = [
        Heading("", "layer", left=True),
        Heading("gradient norm", "upstream"),
        Heading("gradient norm", "local"),
        Heading("gradient norm", "downstream"),
        Heading("", "parameters", left=True),
        Heading("", "ms"),
        Heading("", "", left=True),
    ]
    cells = [
        [
            row.node.full_name,
            three_digits(row.upstream),
            f"x {three_digits(row.local)}" if row.local is not None else "",
            three_digits(row.downstream),
            ", ".join(f"{name} {norm:.{_digits(width)}g}" for name, norm in row.params.items()),
            _milliseconds(row.seconds),
            row.verdict,
        ]
        for row in rows
    ]
    layout = lay_out(headings, cells, width, _LEAST_NAME)
    yield from layout.heading_lines()
    for row, texts in zip(rows, cells, strict=True):
        style = _MARKS.get(row.verdict, "")
        yield layout.named_line(texts, style)
    yield []
    yield from paragraph(
        "upstream: of the layer's output; downstream: of its inputs; local: how much longer it made it; "
        "vanishing below 1e-4, exploding above 1e4 times the first, element for element",
        "dim",
        width,
    )


def _milliseconds(seconds: float) -> str:
    """Two decimals below 10, one below 100, none above."""
    spent = 1000 * seconds
    return f"{spent:.2f}" if spent < 9.995 else f"{spent:.1f}" if spent < 99.95 else f"{spent:.0f}"


def _digits(width: int | None) -> int:
    return 3 if width is None or width >= _WIDE else 2


def _forward(row: "ForwardProfile", digits: int) -> list[str]:
    rate = f"{row.gflops:.1f}" if row.gflops >= 0.1 else f"{row.gflops:.1g}" if row.operations else ""
    moments = moment_cells(row.moments, digits)
    return [row.node.full_name, format_shape(row.shape), *moments, _milliseconds(row.seconds), rate]


def _non_finite(row: "ForwardProfile") -> str:
    names = [name for name, count in (("NaN", row.moments.nans), ("Inf", row.moments.infs)) if count]
    return " and ".join(names)
