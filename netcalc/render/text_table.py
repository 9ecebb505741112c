"""A table of texts that fits the terminal: cells wrap, names are cut, columns are dropped and named below."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from netcalc.render.labels import COUNTED, is_counted
from netcalc.render.layout import (
    LEAST_NAME,
    WHOLE_NAME,
    Heading,
    Segment,
    TableLayout,
    arranged,
    column_widths,
    lay_out,
    not_shown,
    paragraph,
    wrapped,
)

_LEAST_WRAPPED, _WELL_WRAPPED = 20, 32
"""The least width of a column whose cells wrap, and one for which gaps need not shrink."""

_LEAST_OF_ALL = 8
"""The least width of a name where no column is left to be dropped."""


class TextColumn(NamedTuple):
    """A column: its heading and its cells."""

    heading: Heading
    texts: Sequence[str]
    style: str | Sequence[str] = ""
    """Of all cells, or of each."""
    drop: int = 0
    """When it is dropped where there is no room, 1 first; never for 0."""
    wraps: bool = False
    """Whether its cells go on in further lines; one column of a table may."""
    shortened: Callable[[int], Sequence[str]] | None = None
    """Of the first column: its cells in so many columns; else they are cut in their middle."""

    @property
    def title(self) -> str:
        """The heading on one line, with its group."""
        return " ".join(f"{self.heading.group} {self.heading.text}".split())

    def style_of(self, row: int) -> str:
        """The style of a cell."""
        return self.style if isinstance(self.style, str) else self.style[row]


def text_table(
    columns: Sequence[TextColumn], width: int | None, least_name: int = LEAST_NAME, ruled: bool = False
) -> Iterator[list[Segment]]:
    """Headings, rows, and what is not shown at this width; `ruled` draws a line below the headings."""
    sizes = column_widths([column.heading for column in columns], _rows(columns))
    shown = list(zip(columns, sizes, strict=True))
    hidden: list[str] = []
    for column in sorted((column for column in columns if column.drop), key=lambda column: column.drop):
        if width is None or _fits(shown, width, least_name):
            break
        shown = [one for one in shown if one[0] is not column]
        hidden += [column.title] if column.title else []
    if width is not None and not _fits(shown, width, least_name):
        least_name = _LEAST_OF_ALL
    lines, layout = _lines(shown, width, least_name)
    yield from layout.heading_lines()
    if ruled:
        yield layout.rule()
    for row, texts in lines:
        cells = zip(texts, shown, strict=True)
        yield layout.line([(text, column.style_of(row)) for text, (column, _) in cells])
    if any(is_counted(texts[0]) for _, texts in lines):
        yield from paragraph(COUNTED, "dim", width)
    if hidden:
        yield from not_shown(hidden, width)


_Sized = tuple[TextColumn, int]
"""A column and the width that it needs."""


def _fits(shown: Sequence[_Sized], width: int, least_name: int) -> bool:
    """Whether columns fit with their names cut and their cells wrapped."""
    sizes = [min(size, _LEAST_WRAPPED) if column.wraps else size for column, size in shown]
    return arranged([column.heading for column, _ in shown], sizes, width, least_name).width <= width


def _lines(
    shown: Sequence[_Sized], width: int | None, least_name: int
) -> tuple[list[tuple[int, list[str]]], TableLayout]:
    """The lines, each with the number of its row, and their layout."""
    columns = [column for column, _ in shown]
    headings = [column.heading for column in columns]
    rows = _rows(columns)
    if columns[0].shortened is not None and width is not None:
        labels = columns[0].shortened(max(least_name, _room(shown, 0, width, WHOLE_NAME)))
        rows = [[label, *row[1:]] for label, row in zip(labels, rows, strict=True)]
    at = next((at for at, column in enumerate(columns) if column.wraps), None)
    lines = list(enumerate(rows))
    if at is not None and width is not None:
        room = _room(shown, at, width, WHOLE_NAME)
        if room < _WELL_WRAPPED:
            room = min(_WELL_WRAPPED, _room(shown, at, width, least_name))
        room = max(_LEAST_WRAPPED, room)
        lines = [(number, line) for number, row in lines for line in _wrapped_row(row, at, room)]
    return lines, lay_out(headings, [line for _, line in lines], width, least_name)


def _rows(columns: Sequence[TextColumn]) -> list[list[str]]:
    return [list(row) for row in zip(*(column.texts for column in columns), strict=True)]


def _room(shown: Sequence[_Sized], at: int, width: int, least_name: int) -> int:
    """What a width leaves for one column: with wide gaps where that is enough, else with narrow ones."""
    headings, sizes = [column.heading for column, _ in shown], [size for _, size in shown]
    wide = arranged(headings, sizes, None, least_name)
    room = wide.widths[at] - max(0, wide.width - width)
    if room >= _WELL_WRAPPED or wide.width <= width:
        return room
    narrow = arranged(headings, sizes, width, least_name)
    return narrow.widths[at] - max(0, narrow.width - width)


def _wrapped_row(row: Sequence[str], at: int, room: int) -> Iterator[list[str]]:
    """A row as lines: one cell wrapped, the others on the first."""
    first, *others = wrapped(row[at], room)
    yield [*row[:at], first, *row[at + 1 :]]
    yield from ([*("" for _ in row[:at]), part, *("" for _ in row[at + 1 :])] for part in others)
