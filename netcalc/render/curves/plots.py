"""Learning curves in a PNG, SVG or PDF file."""

from collections.abc import Sequence
from typing import Any

from netcalc.render.curves.panels import Panel, Series, binned
from netcalc.render.escaping import visible
from netcalc.render.figures import STYLE, save

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""The palette of Okabe and Ito (2008) without yellow: for the colour-blind too, and dark enough for lines."""

_LINES = ("-", "--", "-.", ":")
"""Of more series than there are colours."""
_MARKERS = "os^DvPX"
"""One for each colour, so that curves differ in print too."""
_MEANS = 120
"""A curve of more points is their means in so many bins, with the points behind it."""
_MARKED = 40
"""A curve of fewer points has a mark at each."""


def draw(
    panels: Sequence[Panel], names: Sequence[str], title: str, path: str, at: float | None = None
) -> None:
    """Draw panels side by side into a file of the type that its suffix says.

    `names` are those of the series by their numbers; `at` is where a vertical line stands. Raises OSError
    where the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(max(6.0, 4.8 * len(panels)), 3.7), layout="constrained")
        for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False).flat, panels, strict=True):
            _draw_panel(axes, panel, [visible(name) for name in names])
            if at is not None:
                axes.axvline(at, color="black", linewidth=1, linestyle=":")
        figure.suptitle(visible(title), parse_math=False, fontsize="medium")
        save(figure, path)


def _draw_panel(axes: Any, panel: Panel, names: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    x, y = panel.scales()
    for series in panel.series:
        _draw_series(axes, panel, series, names[series.number])
    axes.set_title(panel.title, parse_math=False, loc="left", fontsize="medium")
    axes.set_xlabel(panel.x_title)
    if panel.x_logarithmic:
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    if y.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    else:
        room = 0.03 * (y.high - y.low)
        axes.set_ylim(y.low if y.low == 0 else y.low - room, y.high + room)
    if panel.is_share:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlim(x.low if panel.x_logarithmic else 0, x.high * (1 if panel.x_logarithmic else 1.01))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if len(panel.series) > 1:
        axes.legend(frameon=False, fontsize="small")


def _draw_series(axes: Any, panel: Panel, series: Series, name: str) -> None:
    x, _ = panel.scales()
    colour = COLOURS[series.number % len(COLOURS)]
    line = _LINES[series.number // len(COLOURS) % len(_LINES)]
    points = series.points
    if series.is_faint:
        axes.plot(*zip(*points, strict=True), color=colour, linewidth=0.7, alpha=0.5, zorder=1, label=name)
        return
    if series.is_detailed and len(points) > _MEANS:
        axes.plot(*zip(*points, strict=True), color=colour, linewidth=0.6, alpha=0.25)
        points = binned(points, _MEANS, x.place)
    marker = (
        _MARKERS[series.number % len(_MARKERS)] if not series.is_detailed and len(points) < _MARKED else ""
    )
    axes.plot(
        *zip(*points, strict=True),
        line,
        color=colour,
        marker=marker,
        markersize=4,
        linewidth=1.6,
        label=name,
    )
