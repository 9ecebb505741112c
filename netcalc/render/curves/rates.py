"""What a search for a learning rate has found: its curve, and the rate that it proposes."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netcalc.diagnostics import counted
from netcalc.render.curves.panels import Panel, Series
from netcalc.render.curves.text import chart_lines
from netcalc.render.layout import Segment, paragraph, title_lines

if TYPE_CHECKING:
    from netcalc.train.rate_finder import RateSearch


def rate_panel(search: "RateSearch") -> Panel:
    """The losses against the rates, their means as a line."""
    losses = [(trial.rate, trial.loss) for trial in search.trials]
    means = [(trial.rate, trial.smoothed) for trial in search.trials]
    series = [Series("smoothed", means, 0), Series("loss", losses, 1, is_faint=True)]
    return Panel("loss", series, "learning rate", x_logarithmic=True, y_range=_range(search))


def _range(search: "RateSearch") -> tuple[float, float]:
    """Up to a little above where the curve begins, since it diverges at its end."""
    smoothed = [trial.smoothed for trial in search.trials]
    low, first = min(smoothed), smoothed[0]
    room = max(first - low, 0.1 * abs(first)) or 1.0
    return low - 0.1 * room, first + 0.6 * room


def rate_lines(name: str, search: "RateSearch", width: int | None) -> Iterator[Sequence[Segment]]:
    """The curve, and what it says."""
    yield from title_lines(
        (name, "bold"), ["learning-rate search", counted(len(search.trials), "step")], width
    )
    if search.trials:
        yield []
        panel = rate_panel(search)
        proposed = [(trial.rate, trial.smoothed) for trial in search.trials if trial.rate == search.best]
        marked = [Series("proposed", proposed, 1)] if proposed else []
        yield from chart_lines([panel._replace(series=[panel.series[0], *marked])], width)
    yield []
    yield from paragraph(rate_in_words(search), "", width)


def rate_in_words(search: "RateSearch") -> str:
    """The verdict: `The loss falls fastest at a learning rate of 0.0123, is lowest at 0.1, ...`."""
    end = "" if search.diverged is None else f"diverges at {rate_text(search.diverged)}"
    if search.best is None or search.lowest is None:
        return f"The loss falls at no learning rate{f', and {end}' if end else ''}."
    lowest = f"is lowest at {rate_text(search.lowest)}"
    rest = f", {lowest}, and {end}" if end else f", and {lowest}"
    best = rate_text(search.best)
    return f"The loss falls fastest at a learning rate of {best}{rest}: --lr {best}"


def rate_text(rate: float) -> str:
    """A learning rate with two digits."""
    return f"{rate:.2g}"


def draw_rates(name: str, search: "RateSearch", path: str) -> None:
    """Draw the curve with a line at the proposed rate; raises OSError where the file cannot be written."""
    from netcalc.render.curves.plots import draw

    proposed = "" if search.best is None else f"  ·  steepest at {rate_text(search.best)}"
    draw([rate_panel(search)], ["smoothed", "loss"], f"{name}{proposed}", path, at=search.best)
