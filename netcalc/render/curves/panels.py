"""What is drawn of a training: panels with series of points, for a terminal and for a picture alike."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcalc.render.curves.scale import AxisScale

if TYPE_CHECKING:
    from netcalc.train.history import RunHistory

Points = Sequence[tuple[float, float]]

_LARGEST = 1e100
"""What is beyond it is not drawn, as what is not finite."""


class Series(NamedTuple):
    """A curve. `number` chooses its colour; `is_detailed` is that of every step, which scatters."""

    label: str
    points: Points
    number: int
    is_detailed: bool = False
    mark: str = ""
    """What stands at its last point."""
    last: float | None = None
    """Its last value, as the legend has it."""
    is_faint: bool = False
    """Whether it stands behind the others, which are its means."""


class Panel(NamedTuple):
    """A chart: one quantity, and the curves of it."""

    title: str
    series: Sequence[Series]
    x_title: str
    is_share: bool = False
    """Whether values are from 0 to 1, shown in percent."""
    x_logarithmic: bool = False
    y_range: tuple[float, float] | None = None
    """What is shown of the values; all of them unless given."""

    def scales(self) -> tuple[AxisScale, AxisScale]:
        """The axes that show every point."""
        points = [point for series in self.series for point in series.points]
        xs, ys = ([point[axis] for point in points] for axis in (0, 1))
        x = AxisScale(0.0, max(xs) or 1.0)
        if self.x_logarithmic:
            x = AxisScale(min(xs), max(max(xs), 1.01 * min(xs)), True)
        if self.y_range is not None:
            return x, AxisScale(*self.y_range)
        y = AxisScale.of(ys, most=1.0 if self.is_share else None, may_be_log=not self.is_share)
        return x, y


def panels(runs: Sequence["RunHistory"]) -> list[Panel]:
    """Loss and, where it is known, accuracy: of one run in training and validation, else a curve a run."""
    per_epoch = all(run.steps_per_epoch for run in runs)
    found = []
    for name, is_share in (("loss", False), ("accuracy", True)):
        of_one = _of_one(runs[0], name, per_epoch) if len(runs) == 1 else _of_several(runs, name, per_epoch)
        series = [each for each in of_one if each.points]
        if series:
            title = name if len(runs) == 1 else _title(series, name)
            found.append(Panel(title, series, "epochs" if per_epoch else "steps", is_share))
    return found


def _of_one(run: "RunHistory", name: str, per_epoch: bool) -> list[Series]:
    """The training step by step; the legend has the mean of the last epoch, as the table."""
    training, is_detailed = _training(run, name, per_epoch)
    validation = _validation(run, name, per_epoch)
    last = getattr(run.epochs[-1], name) if run.epochs else None
    return [
        Series(
            "training",
            training,
            0,
            is_detailed,
            last=last if last is not None or not training else training[-1][1],
        ),
        Series("validation", validation, 1, last=validation[-1][1] if validation else None),
    ]


def _of_several(runs: Sequence["RunHistory"], name: str, per_epoch: bool) -> list[Series]:
    """The validation of each run, its training where nothing is held back."""
    found = []
    for number, run in enumerate(runs):
        points: Points = _validation(run, name, per_epoch)
        label, is_detailed = "validation", False
        if not points:
            points, is_detailed = _training(run, name, per_epoch)
            label = "training"
        found.append(Series(label, points, number, is_detailed, letter(number)))
    return found


def letter(number: int) -> str:
    """What a run is called in a chart: a to z, then numbers."""
    return chr(ord("a") + number) if number < 26 else str(number + 1)


def _title(series: Iterable[Series], name: str) -> str:
    labels = {each.label for each in series}
    if len(labels) == 1:
        return f"{labels.pop()} {name}"
    return f"validation {name}, or training"


def _training(run: "RunHistory", name: str, per_epoch: bool) -> tuple[Points, bool]:
    each = run.steps_per_epoch if per_epoch else 1
    if run.steps:
        return _finite((step.step / each, getattr(step, name)) for step in run.steps), True
    return _finite((epoch.step / each, getattr(epoch, name)) for epoch in run.epochs), False


def _validation(run: "RunHistory", name: str, per_epoch: bool) -> Points:
    each = run.steps_per_epoch if per_epoch else 1
    return _finite((epoch.step / each, getattr(epoch, f"validation_{name}")) for epoch in run.epochs)


def _finite(points: Iterable[tuple[float, float | None]]) -> Points:
    return [(x, y) for x, y in points if y is not None and abs(y) < _LARGEST]


def binned(points: Points, bins: int, place: Callable[[float], float]) -> Points:
    """Points in at most so many bins along x, each with the means of its points."""
    if len(points) <= bins:
        return points
    groups: dict[int, list[tuple[float, float]]] = {}
    for x, y in points:
        groups.setdefault(min(bins - 1, int(place(x) * bins)), []).append((x, y))
    return [
        (sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group))
        for _, group in sorted(groups.items())
    ]
