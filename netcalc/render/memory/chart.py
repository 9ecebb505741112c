"""A stacked area chart in text: bands above one another over steps from left to right."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netcalc.render.layout import Segment


class Band(NamedTuple):
    """One band of the stack: what fills it, with and without colour, and its value at each step."""

    fill: str
    style: str
    values: Sequence[int]


def area_lines(
    bands: Sequence[Band], labels: Sequence[tuple[int, str]], width: int, height: int
) -> Iterator[list[Segment]]:
    """The bands, the first at the bottom, as `height` lines; `labels` are values to mark on the left.

    Where steps share a column, the one with the highest stack is drawn.
    """
    gutter = max((len(text) for _, text in labels), default=0)
    totals = [sum(stack) for stack in zip(*(band.values for band in bands), strict=True)]
    tallest = max(totals, default=0) or 1
    columns = [_edges(bands, step, tallest, height) for step in _drawn_steps(totals, width - gutter - 2)]
    marks = {min(height, max(1, -(-value * height // tallest))): text for value, text in labels if value}
    for row in range(height, 0, -1):
        text = marks.get(row, "")
        line: list[Segment] = [(text.rjust(gutter), "dim"), (" ┤" if text else " │", "dim")]
        for edges in columns:
            band = next((band for band, edge in zip(bands, edges, strict=True) if edge >= row), None)
            line.append((" ", "") if band is None else (band.fill, band.style))
        yield _joined(line)
    yield [("0".rjust(gutter), "dim"), (" └" + "─" * len(columns), "dim")]


def axis_lines(
    places: Sequence[tuple[int, str]], steps: int, labels: Sequence[tuple[int, str]], width: int
) -> Iterator[str]:
    """Texts under the steps where they begin, in further lines where they would touch."""
    gutter = max((len(text) for _, text in labels), default=0) + 2
    lines: list[str] = []
    for step, text in places:
        at = min(gutter + step * (width - gutter) // steps, width - len(text))
        line = next((number for number, line in enumerate(lines) if len(line) < at), len(lines))
        if line == len(lines):
            lines.append("")
        lines[line] = lines[line].ljust(at) + text
    yield from lines


def _drawn_steps(totals: Sequence[int], width: int) -> Iterator[int]:
    """For each column, the step in it with the highest stack."""
    steps = len(totals)
    for column in range(width):
        first, after = column * steps // width, (column + 1) * steps // width
        yield max(range(first, max(after, first + 1)), key=totals.__getitem__)


def _edges(bands: Sequence[Band], step: int, tallest: int, height: int) -> list[int]:
    """The row up to which each band reaches; anything in the stack shows at least one row."""
    edges, below = [], 0
    for band in bands:
        below += band.values[step]
        edges.append((below * height * 2 + tallest) // (tallest * 2))
    if below and not edges[-1]:
        edges[-1] = 1
    return edges


def _joined(line: Sequence[Segment]) -> list[Segment]:
    """Neighbours of one style as one piece of text."""
    joined: list[Segment] = []
    for text, style in line:
        if joined and joined[-1][1] == style:
            joined[-1] = joined[-1][0] + text, style
        else:
            joined.append((text, style))
    return joined
