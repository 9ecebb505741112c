"""The rows of a sweep as a table with bars."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from netcalc.analysis import CONVENTIONS
from netcalc.analysis.sweep import FIGURES, Sweep, VariantRow
from netcalc.render.bars import draw_bar
from netcalc.render.escaping import visible
from netcalc.render.json import json_text
from netcalc.render.layout import (
    Heading,
    Segment,
    TableLayout,
    cut_end,
    hanging,
    lay_out,
    not_shown,
    page_width,
    paragraph,
    title_lines,
)
from netcalc.render.numbers import byte_units, exact, with_unit
from netcalc.render.sweep.result import SweepResult
from netcalc.spec import Evaluated

MOST_LINES = 200
"""A table for people is no longer."""

_BARS = {"params": "magenta", "macs": "green", "flops": "green", "output_bytes": "blue"}
_LEAST_ERROR = 30
"""A narrower message stands below the settings of its variant."""
_LEAST_BAR, _LARGEST_BAR = 5, 16
_LONGEST_SETTING, _LEAST_SETTING = 32, 6
_DROPPABLE = ("param_bytes", "flops", "layers", "output_bytes")
"""Columns dropped on a narrow terminal, first to last."""


def sweep_lines(found: SweepResult, width: int | None) -> Iterator[list[Segment]]:
    """What was varied, a line a variant, and what was counted how."""
    sweep = found.sweep
    varied = ", ".join(axis.column for axis in sweep.axes)
    yield from title_lines((sweep.name, "bold"), [f"{varied} varied", _how_many(found)], width)
    yield []
    if found.rows:
        yield from _table(sweep, found.rows[:MOST_LINES], width)
        yield []
    hidden = len(found.rows) - MOST_LINES
    if hidden > 0:
        text = f"{hidden:,} more are not shown; --format csv and -o FILE hold all"
        yield from paragraph(text, "yellow", width)
    for text, style in _footer(found):
        yield from paragraph(text, style, width)


def _how_many(found: SweepResult) -> str:
    shown, counted = len(found.rows), found.counted
    words = f"{counted:,} variant{'' if counted == 1 else 's'}"
    if not found.where and not found.pareto:
        return words
    where = f" with {found.where}" if found.where else ""
    front = f" on the Pareto front of {found.pareto}" if found.pareto else ""
    return f"{shown:,} of {words}{where}{front}"


class _SweepColumn(NamedTuple):
    """A column of the table: its heading, and how its values are shown."""

    name: str
    heading: Heading
    show: Callable[[Evaluated], str]


def headings(sweep: Sweep) -> dict[str, str]:
    """What heads the figures, by column."""
    return {
        "layers": "layers",
        "params": "params",
        "macs": "multiply-adds",
        "flops": CONVENTIONS[sweep.convention].unit,
        "output_bytes": "outputs",
        "param_bytes": "weights",
    }


def _columns(sweep: Sweep) -> list[_SweepColumn]:
    shown = headings(sweep)
    settings = [_SweepColumn(axis.column, Heading("", axis.column), _setting) for axis in sweep.axes]
    figures = [_SweepColumn(name, Heading("", shown[name]), figure_text(sweep, name)) for name in FIGURES]
    return settings + [column for column in figures if column.name != "flops" or sweep.convention != "macs"]


def figure_text(sweep: Sweep, name: str) -> Callable[[Evaluated], str]:
    """How a figure is shown: bytes in the units of the convention, counts with every digit."""
    units = byte_units(sweep.convention)

    def show(value: Evaluated) -> str:
        if not isinstance(value, int):
            return ""
        return with_unit(value, units) if name.endswith("_bytes") else exact(value)

    return show


def _setting(value: Evaluated) -> str:
    text = value if isinstance(value, str) else json_text(value)
    return cut_end(visible(text), _LONGEST_SETTING)


def _table(sweep: Sweep, rows: Sequence[VariantRow], width: int | None) -> Iterator[list[Segment]]:
    columns, hidden = _columns(sweep), []
    layout = _laid_out(columns, rows, width)
    for name in _DROPPABLE:
        if width is None or layout.width <= width:
            break
        hidden += [column.heading.text for column in columns if column.name == name]
        columns = [column for column in columns if column.name != name]
        layout = _laid_out(columns, rows, width)
    layout = _squeezed(layout, len(sweep.axes), width)
    drawn = [column.name for column in columns if column.name in _BARS and column.name != "flops"]
    bar = _LARGEST_BAR
    if width is not None:
        bar = min(bar, (width - layout.width) // len(drawn) - 1)
    with_bars = _with_bars(layout, columns, drawn, bar) if bar >= _LEAST_BAR else layout
    most = {name: max((_count(row[name]) for row in rows), default=0) for name in drawn}
    yield from with_bars.heading_lines()
    yield with_bars.rule()
    for row in rows:
        if row["error"] is not None:
            yield from _failed(row, layout, columns, len(sweep.axes), width)
            continue
        cells: list[Segment] = []
        for column in columns:
            cells.append((column.show(row[column.name]), "cyan" if column.name not in FIGURES else ""))
            if column.name in drawn and with_bars is not layout:
                bars = draw_bar(_count(row[column.name]), max(most[column.name], 1), bar)
                cells.append((bars, _BARS[column.name]))
        yield with_bars.line(cells)
    if hidden:
        yield from not_shown(hidden, width)


def _laid_out(columns: Sequence[_SweepColumn], rows: Sequence[VariantRow], width: int | None) -> TableLayout:
    cells = [[column.show(row[column.name]) for column in columns] for row in rows]
    return lay_out([column.heading for column in columns], cells, width, _LONGEST_SETTING)


def _squeezed(layout: TableLayout, settings: int, width: int | None) -> TableLayout:
    """The layout with its columns of settings as narrow as the width needs them, the widest first."""
    widths = [*layout.widths]
    for _ in range(0 if width is None else layout.width - width):
        widest = max(range(settings), key=widths.__getitem__)
        widths[widest] -= widths[widest] > _LEAST_SETTING
    return layout._replace(widths=widths)


def _with_bars(
    layout: TableLayout, columns: Sequence[_SweepColumn], drawn: Sequence[str], bar: int
) -> TableLayout:
    """The layout with a column of bars after each figure that is drawn."""
    headings: list[Heading] = []
    widths: list[int] = []
    gaps: list[int] = []
    for column, heading, size, gap in zip(columns, layout.headings, layout.widths, layout.gaps, strict=True):
        headings.append(heading)
        widths.append(size)
        gaps.append(gap)
        if column.name in drawn:
            headings.append(Heading("", "", left=True))
            widths.append(bar)
            gaps.append(1)
    return TableLayout(headings, widths, gaps)


def _failed(
    row: VariantRow, layout: TableLayout, columns: Sequence[_SweepColumn], settings: int, width: int | None
) -> Iterator[list[Segment]]:
    """A variant's settings, and its error in the place of all figures."""
    given = TableLayout(layout.headings[:settings], layout.widths[:settings], layout.gaps[:settings])
    shown = given.line([(column.show(row[column.name]), "cyan") for column in columns[:settings]])
    beside = given.width + 2
    at = beside if page_width(width) - beside >= _LEAST_ERROR else 4
    yield from hanging([*shown, ("  ", "")], str(row["error"]), "red", width, at)


def _count(value: Evaluated) -> int:
    return value if isinstance(value, int) else 0


def _footer(found: SweepResult) -> Iterator[tuple[str, str]]:
    if found.failed:
        hidden = "; --where and --pareto leave them out" if found.where or found.pareto else ""
        yield f"{found.failed:,} of {found.counted:,} variants failed{hidden}", "red"
    yield conditions_in_words(found.sweep), "dim"


def conditions_in_words(sweep: Sweep) -> str:
    """Convention, batch, element type and units."""
    kilobyte = byte_units(sweep.convention)[2][1]
    return (
        f"{sweep.convention} convention: {CONVENTIONS[sweep.convention].words}; outputs of all layers, none "
        f"in place; batch {sweep.batch}, {sweep.dtype}; {kilobyte} = 1024 bytes"
    )
