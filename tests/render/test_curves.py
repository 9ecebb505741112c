"""Charts of trainings: what stands where, at every width, in Unicode and in ASCII, and in pictures."""

import io
import re
from math import inf, nan
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from netcalc.render.braille_ascii import BRAILLE_ASCII
from netcalc.render.curves.braille import Canvas
from netcalc.render.curves.overfitting import overfitting_in_words
from netcalc.render.curves.panels import Panel, Series, binned, letter, panels
from netcalc.render.curves.plots import draw
from netcalc.render.curves.rates import draw_rates, rate_in_words, rate_lines
from netcalc.render.curves.result import CurvesResult
from netcalc.render.curves.scale import AxisScale, tick_texts
from netcalc.render.curves.text import chart_lines
from netcalc.render.layout import Segment
from netcalc.render.terminal import Terminal
from netcalc.train.history import RunHistory, history_of
from netcalc.train.overfitting import Overfitting
from netcalc.train.rate_finder import RateSearch, searched
from netcalc.train.records import EpochRecord, StepRecord

from helpers import METRICS

RUN = history_of("run", METRICS, "m")


def texts(lines: object) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]  # type: ignore[attr-defined]


def run_of(losses: list[float], accuracy: float | None = None, validation: float | None = None) -> RunHistory:
    """A run of one epoch for each loss."""
    epochs = (
        EpochRecord(n, n + 1, loss, accuracy, validation, accuracy, 0.1, 1.0) for n, loss in enumerate(losses)
    )
    return RunHistory("run", (), tuple(epochs))


@pytest.mark.parametrize("width", [40, 60, 80, 99, 100, 160, 220, None])
def test_charts_keep_the_width(width: int | None) -> None:
    for runs in ([RUN], [RUN, RUN._replace(name="x" * 300)], [RUN] * 7):
        shown = texts(CurvesResult(runs).lines(width))
        if width is not None:
            assert max(map(cell_len, shown)) <= max(width, 44)
        beside = [line for line in shown if line.count("└") == 2]
        assert bool(beside) == (width is None or width >= 100)


def test_where_a_line_stands() -> None:
    """A straight line from corner to corner, and a mark at its end."""
    panel = Panel("loss", [Series("a", [(0, 2.0), (10, 0.0)], 0, mark="a")], "epochs")
    lines = texts(chart_lines([panel], 60))
    rows = [re.sub(r"^.*[┤│]", "", line) for line in lines[1:11]]
    assert rows[0][0] not in " ⠀"
    assert rows[-1][-1] == "a"
    columns = [min(at for at, text in enumerate(row) if text != " ") for row in rows]
    assert columns == sorted(columns)
    assert lines[1].split("┤")[0].strip() == "2"
    assert lines[-1].split()[0] == "0"
    assert lines[-1].endswith("epochs")


def test_marks_do_not_hide_each_other() -> None:
    canvas = Canvas(3, 4)
    for text in "abcd":
        canvas.mark((1, 0.5), text, "")
    column = ["".join(text for text, _ in row)[2] for row in canvas.rows()]
    assert sorted(column) == ["a", "b", "c", "d"]
    canvas.mark((1, 0.5), "e", "")  # there is no room left
    assert ["".join(text for text, _ in row)[2] for row in canvas.rows()] == column


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1, 1.0], AxisScale(0.0, 1.0)), ([0.9, 1.0], AxisScale(0.9, 1.0)), ([0.01, 1.0], AxisScale(0.01, 1.0, True)), ([0.0, 1.0], AxisScale(0.0, 1.0)),
        ([0.0, 1e-30, 1.0], AxisScale(1e-8, 1.0, True)), ([-1.0, 200.0], AxisScale(-1.0, 200.0)), ([3.0], AxisScale(1.5, 4.5)), ([0.0], AxisScale(-0.5, 0.5)),
        ([1e99], AxisScale(5e98, 1.5e99)),
    ],
)  # fmt: skip
def test_which_axis_shows_values(values: list[float], expected: AxisScale) -> None:
    found = AxisScale.of(values)
    assert (found.low, found.high, found.logarithmic) == (
        pytest.approx(expected.low),
        pytest.approx(expected.high),
        expected.logarithmic,
    )
    assert all(0 <= found.place(value) <= 1 for value in values)


@pytest.mark.parametrize("most", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(
    "scale", [AxisScale(0, 1), AxisScale(0, 2.4), AxisScale(0.91, 0.97), AxisScale(-3, 1e6), AxisScale(0, 15), AxisScale(1e-7, 10, True), AxisScale(0.02, 2.4, True),
              AxisScale(0.15, 0.9, True), AxisScale(0, 1e-9)],
)  # fmt: skip
def test_ticks_are_few_and_on_the_axis(scale: AxisScale, most: int) -> None:
    ticks = scale.ticks(most)
    assert len(ticks) <= max(2, most)
    assert all(-1e-6 <= scale.place(tick) <= 1 + 1e-6 for tick in ticks)
    assert len(set(tick_texts(ticks))) == len(ticks)
    if most >= 3 and not scale.logarithmic:
        assert len(ticks) >= 2


def test_ticks_of_epochs_are_whole() -> None:
    assert AxisScale(0, 3).ticks(6, whole=True) == [0, 1, 2, 3]
    assert tick_texts([0.1, 0.30000000000000004]) == ["0.1", "0.3"]
    assert tick_texts([0, 0.25, 1], percent=True) == ["0%", "25%", "100%"]


def test_a_bin_is_the_mean_of_its_points() -> None:
    points = [(0.0, 1.0), (1.0, 3.0), (6.0, 5.0), (10.0, 7.0)]
    assert binned(points, 2, lambda x: x / 10) == [(0.5, 2.0), (8.0, 6.0)]
    assert binned(points, 4, lambda x: x / 10) == points


def test_what_is_drawn_of_one_run_and_of_several() -> None:
    loss, accuracy = panels([RUN])
    assert [series.label for series in loss.series] == ["training", "validation"]
    assert loss.series[0].points == [(0.5, 2.4), (1.0, 1.2), (1.5, 0.9), (2.0, 0.7)]
    assert loss.series[1].points == [(1.0, 1.4), (2.0, 1.1)]
    assert [series.last for series in loss.series] == [0.8, 1.1]  # the mean of the last epoch
    assert accuracy.is_share
    several = panels([RUN, run_of([2.0, 1.0])])
    assert several[0].title == "validation loss, or training"
    assert [series.label for series in several[0].series] == ["validation", "training"]
    assert several[1].title == "validation accuracy"
    assert [letter(number) for number in (0, 25, 26)] == ["a", "z", "27"]
    assert panels([RUN._replace(epochs=())])[0].x_title == "steps"


def test_what_is_not_finite_is_not_drawn() -> None:
    (panel,) = panels([run_of([2.0, nan, inf, 1.0])])
    assert [x for x, _ in panel.series[0].points] == [1, 4]
    assert panels([run_of([nan])]) == []
    shown = texts(CurvesResult([run_of([nan], validation=nan)]).lines(80))
    assert any("nothing to draw" in line for line in shown)
    assert any("not finite" in line for line in shown)


def test_figures_of_a_run_that_has_no_epoch_yet() -> None:
    step = StepRecord(1, 0, 2.5, None, 0.1, 1.0, 8, 0.0)
    result = CurvesResult([RunHistory("run", (step,))])
    (row,) = result.to_dict()["runs"]
    assert (row["steps"], row["epochs"], row["training_loss"], row["validation_loss"]) == (1, 0, 2.5, None)
    assert any("2.5" in line for line in texts(result.lines(80)))


def test_without_unicode_there_are_other_characters() -> None:
    assert len(BRAILLE_ASCII) == 256
    assert [BRAILLE_ASCII[0x2800 + bits] for bits in (0x00, 0x01, 0x12, 0x24, 0xC0, 0x47, 0xFF)] == [
        *" '--.||"
    ]
    buffer = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Terminal(Console(file=buffer, width=80)).write(CurvesResult([RUN]).lines(80))
    buffer.flush()
    shown = buffer.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    assert "o validation 1.1" in shown
    assert "?" not in shown


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_pictures(tmp_path: Path, ending: str) -> None:
    first, second = (str(tmp_path / f"{name}.{ending}") for name in ("one", "two"))
    long = tuple(RUN.steps[0]._replace(step=number, loss=9 / number) for number in range(1, 400))
    for path in (first, second):
        draw(panels([RUN._replace(steps=long)]), ["training", "validation"], "a $run$", path)
    drawn = Path(first).read_bytes()
    if ending == "svg":
        assert b"a $run$" in drawn
        assert b"validation" in drawn
        assert drawn == Path(second).read_bytes()
    draw(panels([RUN] * 9), [f"run {number}" for number in range(9)], "", first)
    assert Path(first).stat().st_size > 1000


SEARCH = searched([10.0**power for power in range(-9, 1)], [2.3] * 5 + [2.2, 1.5, 1.0, 0.9, 1.4], 10.0)


def test_a_search_in_words_and_lines(tmp_path: Path) -> None:
    assert SEARCH.best is not None
    words = rate_in_words(SEARCH)
    assert words.startswith("The loss falls fastest at a learning rate of 0.0")
    assert words.endswith(f", and diverges at 10: --lr {SEARCH.best:.2g}")
    assert rate_in_words(SEARCH._replace(diverged=None)).endswith(
        f", and is lowest at {SEARCH.lowest:.2g}: --lr {SEARCH.best:.2g}"
    )
    nothing = RateSearch((), None, None, 1e-7)
    assert rate_in_words(nothing) == "The loss falls at no learning rate, and diverges at 1e-07."
    assert rate_in_words(nothing._replace(diverged=None)) == "The loss falls at no learning rate."
    for width in (60, 80, 160):
        for search in (SEARCH, nothing, searched([1e-7, 1e-6], [2.0, 2.0])):
            shown: list[list[Segment]] = [[*line] for line in rate_lines("net", search, width)]
            assert max(map(cell_len, texts(shown))) <= width
    assert sum("•" in line for line in texts(rate_lines("net", SEARCH, 80))) == 1
    path = tmp_path / "rates.svg"
    draw_rates("net", SEARCH, str(path))
    assert f"steepest at {SEARCH.best:.2g}".encode() in path.read_bytes()


def test_an_overfitting_in_words() -> None:
    records = tuple(
        StepRecord(number, 0, loss, 0.5, 0.1, 1.0, 8, 0.0) for number, loss in enumerate((2.3, 0.5, 0.02), 1)
    )
    found = Overfitting(True, records, 0.023, 0.0, (), False)
    assert (
        overfitting_in_words(found)
        == "The loss on one batch is 0.02 after 3 steps, from 2.3: the network can learn."
    )
    failed = found._replace(reached=False, records=records[:2])
    assert overfitting_in_words(failed).startswith(
        "The loss on one batch is 0.5 after 2 steps, from 2.3; it is to be 0.023: labels"
    )
    diverged = found._replace(reached=False, records=(records[0], records[1]._replace(loss=nan)))
    assert overfitting_in_words(diverged) == "The loss on one batch is not finite after 2 steps, from 2.3."


@pytest.mark.parametrize("most", [None, 1.0])
@pytest.mark.parametrize(
    "values",
    [
        [5e-324],
        [5e-324, 0.0],
        [5e-324, 1e-322],
        [-5e-324, 5e-324],
        [1e-320, 5e-324],
        [1.0000001],
        [1.0000001, 1.5],
    ],
    ids=str,
)
def test_numbers_at_the_ends_have_an_axis(values: list[float], most: float | None) -> None:
    scale = AxisScale.of(values, most=most, may_be_log=most is None)
    assert scale.low < scale.high
    assert all(0 <= scale.place(value) <= 1 for value in values)
    assert len(scale.ticks(5)) >= 1
