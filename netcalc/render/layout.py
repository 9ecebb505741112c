"""Cells to aligned text: group headings over their columns, as printed tables have them.

Rich's tables cannot head several columns together, which the lectures' tables do.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from textwrap import wrap
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from netcalc.render.escaping import visible

Segment = tuple[str, str]
"""Text and its style."""


_LEAST_NAME = 24
"""The least width of a first column of names, unless a table gives another."""


class Heading(NamedTuple):
    """A column's heading; columns side by side with one group share its name above them."""

    group: str
    text: str
    left: bool = False


class TableLayout(NamedTuple):
    """Widths of columns and the gaps before them."""

    headings: Sequence[Heading]
    widths: Sequence[int]
    gaps: Sequence[int]

    @property
    def width(self) -> int:
        return sum(self.widths) + sum(self.gaps)

    def heading_lines(self) -> Iterator[list[Segment]]:
        """The headings, aligned at the bottom, with a group's name above its columns."""
        split = [heading.text.split("\n") for heading in self.headings]
        grouped = any(heading.group for heading in self.headings)
        height = max(
            len(lines) + bool(heading.group) for lines, heading in zip(split, self.headings, strict=True)
        )
        for level in range(height, 0, -1):
            texts = [lines[-level] if level <= len(lines) else "" for lines in split]
            line = "".join(text for text, _ in self.line([(text, "") for text in texts]))
            if grouped and level == 2:
                line = self._with_groups(line)
            yield [(line, "bold")]

    def rule(self) -> list[Segment]:
        """A horizontal rule as wide as the table."""
        return [("─" * self.width, "dim")]

    def named_line(self, texts: Sequence[str], style: str = "") -> list[Segment]:
        """A line whose first cell is a name; a style is that of the whole line."""
        return self.line([(texts[0], style or "cyan"), *((text, style) for text in texts[1:])])

    def line(self, cells: Sequence[Segment]) -> list[Segment]:
        """One line of cells, each padded to its column."""
        segments: list[Segment] = []
        for (text, style), heading, width, gap in zip(
            cells, self.headings, self.widths, self.gaps, strict=True
        ):
            shown = visible(text)
            shown = shown if cell_len(shown) <= width else _cut(shown, width)
            room = width - cell_len(shown)
            before, after = (gap, room) if heading.left else (gap + room, 0)
            segments += [(" " * before, ""), (shown, style), (" " * after, "")]
        return [segment for segment in segments if segment[0]]

    def _with_groups(self, line: str) -> str:
        for start, end in self._groups():
            before = sum(self.widths[:start]) + sum(self.gaps[: start + 1])
            width = sum(self.widths[start:end]) + sum(self.gaps[start + 1 : end])
            line = line[:before] + self.headings[start].group.center(width) + line[before + width :]
        return line

    def _groups(self) -> Iterator[tuple[int, int]]:
        """Runs of columns with one group name."""
        start = 0
        for end in range(1, len(self.headings) + 1):
            if end == len(self.headings) or self.headings[end].group != self.headings[start].group:
                if self.headings[start].group:
                    yield start, end
                start = end


def paragraph(text: str, style: str, width: int | None, indent: str = "") -> Iterator[list[Segment]]:
    """A text wrapped to a width, or to 100 columns where none is given, with every line indented."""
    yield from ([(indent + line, style)] for line in wrap(text, (width or 100) - len(indent)))


def _cut(text: str, width: int) -> str:
    """A text with its middle cut out: names of layers differ at their ends."""
    tail = (width - 3) // 2
    return f"{set_cell_size(text, width - 3 - tail)}...{text[len(text) - tail :]}"


def lay_out(
    headings: Sequence[Heading],
    rows: Sequence[Sequence[str]],
    max_width: int | None,
    least_name: int = _LEAST_NAME,
) -> TableLayout:
    """Widths that show every cell; beyond `max_width`, gaps and a long first column shrink."""
    widths = []
    for column, heading in enumerate(headings):
        texts = (*heading.text.split("\n"), *(visible(row[column]) for row in rows))
        widths.append(max(map(cell_len, texts)))
    for inner, outer in ((2, 3), (1, 2), (1, 1)):
        layout = TableLayout(headings, list(widths), _gaps(headings, inner, outer))
        _fit_groups(layout)
        if max_width is None or layout.width <= max_width:
            return layout
    longest = max(least_name, layout.widths[0] - max(0, layout.width - (max_width or layout.width)))
    return layout._replace(widths=[min(layout.widths[0], longest), *layout.widths[1:]])


def _gaps(headings: Sequence[Heading], inner: int, outer: int) -> list[int]:
    gaps = [0]
    for previous, heading in pairwise(headings):
        gaps.append(inner if previous.group == heading.group else outer)
    return gaps


def _fit_groups(layout: TableLayout) -> None:
    """Widen a group's first column where its name is wider than its columns."""
    assert isinstance(layout.widths, list)
    for start, end in layout._groups():
        width = sum(layout.widths[start:end]) + sum(layout.gaps[start + 1 : end])
        layout.widths[start] += max(0, len(layout.headings[start].group) - width)
