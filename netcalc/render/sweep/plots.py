"""The rows of a sweep as a scatter or line plot, in a PNG, SVG or PDF file."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from netcalc.analysis.selection import number, require_column
from netcalc.analysis.sweep import VariantRow
from netcalc.render.escaping import visible
from netcalc.render.figures import STYLE, save

KINDS = ("scatter", "line")
_KEYS = ("x", "y", "by", "kind")
_LOGARITHMIC = 50
"""Numbers that differ by more than this factor are drawn on a logarithmic axis."""

_COLOURS = 10
"""With more series than this, colours come from a continuous map instead of a set of distinct ones."""


class Plot(NamedTuple):
    """What is drawn: two columns of numbers, and a column that splits the points into series."""

    x: str
    y: str
    by: str = ""
    kind: str = "scatter"


def read_plot(text: str, numeric: Sequence[str], columns: Sequence[str]) -> Plot:
    """What `x=macs,y=params,by=width,kind=line` asks for.

    Raises ValueError where it is not of that form or names a column that is not there.
    """
    given: dict[str, str] = {}
    for part in text.replace(",", " ").split():
        key, _, value = part.partition("=")
        if key not in _KEYS:
            raise ValueError(f"{part!r} is not x=, y=, by= or kind=; write x=macs,y=params.")
        if key == "kind" and value not in KINDS:
            raise ValueError(f"a plot's kind is {' or '.join(KINDS)}, not {value!r}.")
        if key == "by" and value not in columns:
            raise ValueError(f"there is no column {value!r}; there are {', '.join(columns)}.")
        if key in ("x", "y"):
            require_column(value, numeric)
        given[key] = value
    if not {"x", "y"} <= given.keys():
        raise ValueError("a plot needs x= and y=; write x=macs,y=params.")
    return Plot(**given)


def draw(plot: Plot, rows: Sequence[VariantRow], front: Sequence[VariantRow], title: str, path: str) -> None:
    """Draw rows into a file of the type that its suffix says, those of `front` joined by a line.

    Raises OSError where the file cannot be written.
    """
    from matplotlib import colormaps, rc_context
    from matplotlib.figure import Figure

    drawn = [row for row in rows if row["error"] is None]
    with rc_context(STYLE):
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.add_subplot()
        series = _series(plot, drawn)
        if len(series) > _COLOURS:
            spread = colormaps["viridis"].resampled(len(series))
            axes.set_prop_cycle(color=[spread(place) for place in range(len(series))])
        for label, members in series.items():
            points = _points(plot, members)
            if plot.kind == "line":
                points.sort()
            style = "o-" if plot.kind == "line" else "o"
            axes.plot(*zip(*points, strict=True), style, markersize=5, alpha=0.8, label=label)
        if front:
            points = sorted(_points(plot, front))
            axes.plot(*zip(*points, strict=True), "o--", color="black", fillstyle="none", markersize=9,
                      linewidth=1, label="Pareto front")  # fmt: skip
        _label(axes, plot, drawn, title)
        if plot.by or front:
            columns = 1 + len(series) // 16
            axes.legend(title=plot.by or None, frameon=False, ncols=columns, fontsize="small")
        save(figure, path)


def _points(plot: Plot, rows: Sequence[VariantRow]) -> list[tuple[float, float]]:
    return [(number(row, plot.x), number(row, plot.y)) for row in rows]


def _series(plot: Plot, rows: Sequence[VariantRow]) -> dict[str, list[VariantRow]]:
    """The rows of each series, in order of first appearance."""
    series: dict[str, list[VariantRow]] = {}
    for row in rows:
        label = visible(str(row[plot.by])) if plot.by else "variants"
        series.setdefault(label, []).append(row)
    return series


def _label(axes: Any, plot: Plot, rows: Sequence[VariantRow], title: str) -> None:
    from matplotlib.ticker import EngFormatter

    axes.set_title(visible(title), parse_math=False, loc="left", fontsize="medium")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    for column, axis, set_scale in (
        (plot.x, axes.xaxis, axes.set_xscale),
        (plot.y, axes.yaxis, axes.set_yscale),
    ):
        values = [number(row, column) for row in rows]
        logarithmic = min(values) > 0 and max(values) > _LOGARITHMIC * min(values)
        axis.set_label_text(column + (" (logarithmic)" if logarithmic else ""))
        if logarithmic:
            set_scale("log")
        elif max(map(abs, values)) >= 1e5:
            axis.set_major_formatter(EngFormatter())
