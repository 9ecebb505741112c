"""Charts for a terminal: braille lines between axes, side by side where there is room."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len

from netcalc.render.curves.braille import Canvas
from netcalc.render.curves.panels import Panel, binned
from netcalc.render.curves.scale import AxisScale, tick_texts
from netcalc.render.layout import Segment, page_width

STYLES = ("cyan", "yellow", "magenta", "green", "blue", "red")
"""Of the series, in order: the first two differ for every kind of colour blindness."""

_BESIDE = 100
"""From so many columns on two panels stand side by side."""
_WIDEST = 84
_GAP = 4


def chart_lines(panels: Sequence[Panel], width: int | None) -> Iterator[list[Segment]]:
    """The panels, in rows of two on a wide terminal."""
    columns = page_width(None) if width is None else width
    beside = 2 if columns >= _BESIDE and len(panels) > 1 else 1
    each = min(_WIDEST, (columns - _GAP * (beside - 1)) // beside)
    height = 9 if each < 60 else 10 if each < 78 else 12
    fits = all(_width(_title(panel) + _legend(panel)) <= each for panel in panels)
    for first in range(0, len(panels), beside):
        if first:
            yield []
        drawn = [[*panel_lines(panel, each, height, fits)] for panel in panels[first : first + beside]]
        for lines in zip_longest(*drawn, fillvalue=[]):
            yield _joined(lines, each)


def panel_lines(panel: Panel, width: int, height: int, beside: bool = True) -> Iterator[list[Segment]]:
    """A title with its legend, `beside` it or below, `height` lines of the chart, and the axis below."""
    x, y = panel.scales()
    ticks = y.ticks(height // 2)
    texts = tick_texts(ticks, panel.is_share)
    margin = max(map(len, texts)) + 2
    rows = {round((1 - y.place(tick)) * (height - 1)): text for tick, text in zip(ticks, texts, strict=True)}
    columns = width - margin - 1
    title, legend = _title(panel), _legend(panel)
    yield from [title + legend] if beside or not legend else [title, legend[1:]]
    for number, line in enumerate(_drawn(panel, x, y, columns, height)):
        text = rows.get(number, "")
        axis = "┤" if text else "│"
        yield [(f"{text.rjust(margin - 1)} {axis}", "dim"), *line]
    yield [(" " * margin + "└" + "─" * columns, "dim")]
    yield [(" " * (margin + 1) + _x_axis(panel, x, columns), "dim")]


def _title(panel: Panel) -> list[Segment]:
    logarithmic = panel.scales()[1].logarithmic
    return [(f"{panel.title} (logarithmic)" if logarithmic else panel.title, "bold")]


def _legend(panel: Panel) -> list[Segment]:
    """Each curve with its last value; none where the curves have marks of their own."""
    segments: list[Segment] = []
    for series in panel.series:
        if series.last is not None:
            mark = "⣀⣀" if series.number == 0 else "•"
            segments += [
                ("   ", ""),
                (f"{mark} {series.label} {_value(panel, series.last)}", STYLES[series.number]),
            ]
    return segments


def _width(segments: Sequence[Segment]) -> int:
    return sum(cell_len(text) for text, _ in segments)


def _value(panel: Panel, value: float) -> str:
    return f"{100 * value:.1f}%" if panel.is_share else f"{value:.4g}"


def _drawn(panel: Panel, x: AxisScale, y: AxisScale, columns: int, height: int) -> list[list[Segment]]:
    canvas = Canvas(columns, height)
    for series in panel.series:
        style = STYLES[series.number % len(STYLES)]
        room = columns if series.is_detailed else 2 * columns
        points = [(x.place(px), y.place(py)) for px, py in binned(series.points, room, x.place)]
        if series.number == 0 or series.mark or len(points) > columns // 2:
            canvas.line(points, style)
        else:
            for point in points:
                canvas.mark(point, "•", style)
    for series in panel.series:
        if series.mark:
            px, py = series.points[-1]
            canvas.mark(
                (x.place(px), y.place(py)), series.mark, f"bold {STYLES[series.number % len(STYLES)]}"
            )
    return canvas.rows()


def _x_axis(panel: Panel, x: AxisScale, columns: int) -> str:
    """The ticks with the title at the end; those that would touch another are left out."""
    title = panel.x_title
    line = ""
    ticks = x.ticks(max(2, columns // 10), whole=not x.logarithmic and x.high >= 2)
    for tick, text in zip(ticks, tick_texts(ticks), strict=True):
        start = round(x.place(tick) * (columns - 1)) - (len(text) - 1) // 2
        start = max(0, min(start, columns - len(text)))
        if start + len(text) > columns - len(title) - 1:
            break
        if not line or start > len(line) + 1:
            line = line.ljust(start) + text
    return line.ljust(columns - len(title)) + title


def _joined(lines: Sequence[Sequence[Segment]], width: int) -> list[Segment]:
    """Lines side by side, each padded to a width."""
    joined: list[Segment] = []
    for number, line in enumerate(lines):
        if number:
            joined.append((" " * _GAP, ""))
        joined += line
        if number < len(lines) - 1:
            joined.append((" " * (width - _width(line)), ""))
    return joined
