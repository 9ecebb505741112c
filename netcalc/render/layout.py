"""Texts and tables as aligned lines that fit the columns of a terminal.

A terminal's width is kept by everything: texts wrap, gaps shrink, long names are cut in their middle. Where
there is no terminal, in a pipe or a file, the width is None, and tables take the width that they need.
Texts take 100 columns at most, on a wider terminal and where there is none: longer lines are hard to read.

Rich's tables cannot head several columns together, which the lectures' tables do.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

from netcalc.render.escaping import visible

Segment = tuple[str, str]
"""Text and its style."""

PAGE = 100
"""The columns of texts and charts where no terminal has fewer."""

_BREAK = r"(?<! =) (?!= )(?:(?<!\d )|(?![A-Za-z]))"
"""A space at which a line may end: not in `2.28 MB`, nor around the sign of `KB = 1024`."""

_LEAST_TEXT = 20
"""The least width of a text beside a head."""

WHOLE_NAME = 10**6
"""The least width of a name that is not cut."""

LEAST_NAME = 24
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
            shown = cut_middle(visible(text), width)
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


def lay_out(
    headings: Sequence[Heading],
    rows: Sequence[Sequence[str]],
    max_width: int | None,
    least_name: int = LEAST_NAME,
) -> TableLayout:
    """Widths that show every cell; beyond `max_width`, gaps and a long first column shrink."""
    return arranged(headings, column_widths(headings, rows), max_width, least_name)


def column_widths(headings: Sequence[Heading], rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column's longest cell or heading."""
    return [
        max(map(cell_len, (*heading.text.split("\n"), *(visible(row[column]) for row in rows))))
        for column, heading in enumerate(headings)
    ]


def arranged(
    headings: Sequence[Heading], sizes: Sequence[int], max_width: int | None, least_name: int
) -> TableLayout:
    """Columns of these sizes side by side; beyond `max_width`, gaps and a long first column shrink."""
    for inner, outer in ((2, 3), (1, 2), (1, 1)):
        layout = TableLayout(headings, list(sizes), _gaps(headings, inner, outer))
        _fit_groups(layout)
        if max_width is None or layout.width <= max_width:
            return layout
    name = layout.widths[0]
    cut = min(name, max(least_name, name - layout.width + (max_width or 0)))
    return layout._replace(widths=[cut, *layout.widths[1:]])


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
        layout.widths[start] += max(0, cell_len(layout.headings[start].group) - width)


def page_width(width: int | None) -> int:
    """The columns of texts and charts on a terminal of a width, or where there is none."""
    return PAGE if width is None else min(width, PAGE)


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of `width` columns, one line at least; numbers stay with their units."""
    lines: list[str] = []
    line: str | None = None
    for word in re.split(_BREAK, visible(text.replace("\n", " ").replace("\t", " "))):
        if line is not None and cell_len(line) + 1 + cell_len(word) <= width:
            line = f"{line} {word}"
            continue
        if line is not None:
            lines.append(line.rstrip())
        *full, line = chop_cells(word, width) or [""]
        lines += full
    return [*lines, line or ""]


def paragraph(text: str, style: str, width: int | None, indent: str = "") -> Iterator[list[Segment]]:
    """A text wrapped to a page, with every line indented."""
    yield from ([(indent + line, style)] for line in wrapped(text, page_width(width) - len(indent)))


def not_shown(titles: Sequence[str], width: int | None) -> Iterator[list[Segment]]:
    """What a narrow terminal does without."""
    yield from paragraph(f"not shown at {width} columns: {', '.join(titles)}", "dim", width)


def hanging(
    head: Sequence[Segment], text: str, style: str, width: int | None, indent: int | None = None
) -> Iterator[list[Segment]]:
    """A head with a text beside it; `indent` is where the text goes on, unless right after the head.

    A head that is longer than that has a line of its own.
    """
    taken = sum(cell_len(part) for part, _ in head)
    at = taken if indent is None else indent
    lines = wrapped(text, max(_LEAST_TEXT, page_width(width) - at))
    if taken <= at:
        yield [*head, (lines.pop(0), style)]
    else:
        yield list(head)
    yield from ([(" " * at, ""), (line, style)] for line in lines)


def title_lines(title: Segment, facts: Sequence[str], width: int | None) -> Iterator[list[Segment]]:
    """A title with facts after it, `AlexNet  ·  input 3x227x227`; those without room in further lines."""
    text, style = visible(title[0]), title[1]
    *full, last = [text] if width is None else wrapped(text, width)
    yield from ([(part, style)] for part in full)
    line, taken = [(last, style)], cell_len(last)
    for fact in map(visible, facts):
        first, *others = [fact] if width is None else wrapped(fact, width - 5)
        if width is not None and taken + 5 + cell_len(fact) > width:
            yield line
            line, taken = [], 0
        line.append((f"  ·  {first}", ""))
        for part in others:
            yield line
            line, taken, first = [(f"     {part}", "")], 0, part
        taken += 5 + cell_len(first)
    yield line


def cut_middle(text: str, width: int) -> str:
    """A text with its middle cut out where it is too long: names of layers differ at their ends."""
    if cell_len(text) <= width:
        return text
    size = (width - 1) * 2 // 5
    head, tail = set_cell_size(text, size), cut_start(text, width - 1 - size, "")
    return f"{head.rstrip('. ')}…{tail.lstrip('. ')}"


def cut_start(text: str, width: int, mark: str = "…") -> str:
    """The end of a text that is too long."""
    if cell_len(text) <= width or width < 1:
        return text if width > 0 else ""
    kept = text[max(0, len(text) - width + len(mark)) :]
    while kept and cell_len(kept) > width - len(mark):
        kept = kept[1:]
    return mark + kept


def cut_end(text: str, width: int) -> str:
    """The beginning of a text that is too long."""
    if cell_len(text) <= width or width < 1:
        return text if width > 0 else ""
    return f"{set_cell_size(text, width - 1).rstrip()}…"
