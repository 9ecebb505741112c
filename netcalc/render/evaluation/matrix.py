"""A confusion matrix as a table for a terminal: a row a label, a column a prediction."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from netcalc.render.escaping import visible
from netcalc.render.layout import Heading, Segment, arranged

if TYPE_CHECKING:
    from netcalc.backend.kernels.base import Array

_MOST = 30
"""Classes up to which there is a matrix, where there is room."""
_LEAST_NAME, _LONGEST_NAME = 10, 24
_LONGEST_HEADING = 7
"""Names up to this length head the columns; else these have the classes' numbers."""
_OFTEN, _SOMETIMES = 0.2, 0.05
"""Shares of a label's samples from which on a confusion is shown in red, and in yellow."""


def matrix_lines(names: Sequence[str], confusion: "Array", width: int | None) -> Iterator[list[Segment]]:
    """The matrix; no line where it would be wider than the terminal, or larger than anybody reads."""
    if len(confusion) > _MOST:
        return
    rows: list[list[int]] = confusion.tolist()
    numbers = [str(number) for number in range(len(rows))]
    own = [visible(name) for name in names]
    for heads in (own, numbers) if max(map(cell_len, own)) <= _LONGEST_HEADING else (numbers,):
        sides = own if heads is own or own == numbers else _numbered(own)
        headings = [Heading("", "label", left=True), *(Heading("predicted as", head) for head in heads)]
        counts = [max(cell_len(head), *(len(str(row[at])) for row in rows)) for at, head in enumerate(heads)]
        label = min(_LONGEST_NAME, max(map(cell_len, (*sides, "label"))))
        for sizes in ([max(counts)] * len(counts), counts):  # columns of one width, where there is room
            layout = arranged(headings, [label, *sizes], width, min(label, _LEAST_NAME))
            if width is None or layout.width <= width:
                break
        else:
            continue
        break
    else:
        return
    yield from layout.heading_lines()
    for at, (side, row) in enumerate(zip(sides, rows, strict=True)):
        cells = [(str(count) if count else "·", _style(row, at, column)) for column, count in enumerate(row)]
        yield layout.line([(side, "cyan"), *cells])


def _numbered(names: Sequence[str]) -> list[str]:
    digits = len(str(len(names) - 1))
    return [f"{number:>{digits}} {name}" for number, name in enumerate(names)]


def _style(row: Sequence[int], at: int, column: int) -> str:
    count, labels = row[column], sum(row)
    if not count:
        return "dim"
    if at == column:
        return "bold green"
    return "red" if count >= _OFTEN * labels else "yellow" if count >= _SOMETIMES * labels else ""
