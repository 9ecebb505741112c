"""Lines of dots in braille characters, of 2 x 4 dots each."""

from collections.abc import Sequence

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a character's dots, by their row and column."""
_FIRST = 0x2800

Point = tuple[float, float]
"""From (0, 0) at the lower left to (1, 1) at the upper right."""


class Canvas:
    """Characters that lines are drawn on; the line that comes last gives a character its style."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns, self._rows = columns, rows
        self._bits = [[0] * columns for _ in range(rows)]
        self._marks = [[""] * columns for _ in range(rows)]
        self._styles = [[""] * columns for _ in range(rows)]

    def line(self, points: Sequence[Point], style: str) -> None:
        """Join points by straight lines."""
        dots = [self._dot(point) for point in points]
        for (x, y), (x2, y2) in zip(dots, dots[1:] or dots, strict=False):
            steps = max(abs(x2 - x), abs(y2 - y), 1)
            for part in range(steps + 1):
                self._set(x + round((x2 - x) * part / steps), y + round((y2 - y) * part / steps), style)

    def mark(self, point: Point, text: str, style: str) -> None:
        """Put a character at a point, or above or below it where another one stands there."""
        x, y = self._dot(point)
        column = x // 2
        free = [row for row in range(self._rows) if not self._marks[row][column]]
        if free:
            row = min(free, key=lambda each: abs(each - y // 4))
            self._marks[row][column], self._styles[row][column] = text, style

    def rows(self) -> list[list[tuple[str, str]]]:
        """The lines of text, each in runs of one style."""
        return [self._row(number) for number in range(self._rows)]

    def _row(self, number: int) -> list[tuple[str, str]]:
        segments: list[tuple[str, str]] = []
        for bits, mark, style in zip(
            self._bits[number], self._marks[number], self._styles[number], strict=True
        ):
            text = mark or (chr(_FIRST + bits) if bits else " ")
            if segments and (segments[-1][1] == style or text == " "):
                segments[-1] = (segments[-1][0] + text, segments[-1][1])
            else:
                segments.append((text, style))
        return segments

    def _dot(self, point: Point) -> tuple[int, int]:
        """The column and row of a point's dot, counted from the upper left."""
        x, y = (min(1.0, max(0.0, part)) for part in point)
        return round(x * (2 * self._columns - 1)), round((1 - y) * (4 * self._rows - 1))

    def _set(self, x: int, y: int, style: str) -> None:
        self._bits[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        self._styles[y // 4][x // 2] = style
