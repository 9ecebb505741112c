"""The profile of a run, layer by layer: outputs and times, and gradient norms of the backward pass."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netcalc.render.execution.run import moment_columns, three_digits
from netcalc.render.layout import Heading, Segment, paragraph
from netcalc.render.text_table import TextColumn, text_table
from netcalc.tensor import format_shape

if TYPE_CHECKING:
    from netcalc.backend.profiling import BackwardProfile, ForwardProfile

_NORM = "gradient norm"
_LEAST_NAME = 20
_WIDE = 100
"""Columns from which on numbers have three digits."""
_MARKS = {"vanishing": "yellow", "exploding": "bold red", "not finite": "bold red"}


def trace_lines(rows: Sequence["ForwardProfile"], width: int | None) -> Iterator[list[Segment]]:
    """One line a layer of the forward run, then the totals."""
    styles = ["" if row.moments.is_finite else "bold red" if row.begins else "red" for row in rows]
    digits = 3 if width is None or width >= _WIDE else 2
    names = [row.node.full_name for row in rows]
    columns = [
        TextColumn(Heading("", "layer", left=True), names, [style or "cyan" for style in styles]),
        TextColumn(Heading("", "output"), [format_shape(row.shape) for row in rows], styles, drop=3),
        *moment_columns([row.moments for row in rows], styles, digits),
        TextColumn(Heading("", "ms"), [_milliseconds(row.seconds) for row in rows], styles),
        TextColumn(Heading("", "GFLOP/s"), [_rate(row) for row in rows], styles, drop=2),
    ]
    yield from text_table(columns, width, _LEAST_NAME)
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
    styles = [_MARKS.get(row.verdict, "") for row in rows]
    digits = 3 if width is None or width >= _WIDE else 2
    norms = [", ".join(f"{name} {norm:.{digits}g}" for name, norm in row.params.items()) for row in rows]
    local = [f"x {three_digits(row.local)}" if row.local is not None else "" for row in rows]
    names = [row.node.full_name for row in rows]
    columns = [
        TextColumn(Heading("", "layer", left=True), names, [style or "cyan" for style in styles]),
        TextColumn(Heading(_NORM, "upstream"), [three_digits(row.upstream) for row in rows], styles),
        TextColumn(Heading(_NORM, "local"), local, styles, drop=2),
        TextColumn(Heading(_NORM, "downstream"), [three_digits(row.downstream) for row in rows], styles),
        TextColumn(Heading("", "parameters", left=True), norms, styles, drop=3, wraps=True),
        TextColumn(Heading("", "ms"), [_milliseconds(row.seconds) for row in rows], styles, drop=1),
        TextColumn(Heading("", "", left=True), [row.verdict for row in rows], styles),
    ]
    yield from text_table(columns, width, _LEAST_NAME)
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


def _rate(row: "ForwardProfile") -> str:
    return f"{row.gflops:.1f}" if row.gflops >= 0.1 else f"{row.gflops:.1g}" if row.operations else ""


def _non_finite(row: "ForwardProfile") -> str:
    names = [name for name, count in (("NaN", row.moments.nans), ("Inf", row.moments.infs)) if count]
    return " and ".join(names)
