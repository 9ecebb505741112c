"""What `netcalc curves` shows: the curves of one training or of several, and where they ended."""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from netcalc import __version__
from netcalc.diagnostics import counted
from netcalc.render.curves.panels import letter, panels
from netcalc.render.curves.text import STYLES, chart_lines
from netcalc.render.json import JsonRows, json_document
from netcalc.render.layout import LEAST_NAME, Heading, Segment, hanging, title_lines
from netcalc.render.result import Result
from netcalc.render.tabular import Table, TableColumn
from netcalc.render.text_table import TextColumn, text_table

if TYPE_CHECKING:
    from netcalc.train.history import RunHistory


def loss_text(value: float | None) -> str:
    """A loss with four digits."""
    return "" if value is None else f"{value:.4g}" if isfinite(value) else "not finite"


def share_text(value: float | None) -> str:
    """A share in percent, with one digit after the point."""
    return "" if value is None else f"{100 * value:.1f}%"


_COLUMNS = (
    TableColumn("run", "run", left=True),
    TableColumn("epochs", "epochs"),
    TableColumn("steps", "steps"),
    TableColumn("training_loss", "loss", loss_text, group="training"),
    TableColumn("training_accuracy", "accuracy", share_text, group="training"),
    TableColumn("validation_loss", "loss", loss_text, group="validation"),
    TableColumn("validation_accuracy", "accuracy", share_text, group="validation"),
    TableColumn("best_epoch", "epoch", group="best"),
    TableColumn("best_loss", "loss", loss_text, group="best"),
    TableColumn("best_accuracy", "accuracy", share_text, group="best"),
    TableColumn("warnings", "warnings"),
)
_DROPPED = {
    "steps": 1,
    "best_loss": 2,
    "epochs": 4,
    "warnings": 5,
    "training_accuracy": 6,
    "best_epoch": 7,
    "training_loss": 8,
}
"""When a narrow terminal leaves a column out."""
_TOLD = {"run", "epochs", "steps", "warnings"}
"""What is told of a single run beside its name, or below."""


class CurvesResult(Result):
    """The curves of trainings, and their last and best figures in a table."""

    def __init__(self, runs: "Sequence[RunHistory]") -> None:
        self.runs = runs

    def lines(self, width: int | None) -> Iterator[Sequence[Segment]]:
        """The charts, the figures, and the warnings of a single run."""
        if len(self.runs) == 1:
            yield from title_lines((self.runs[0].name, "bold"), _facts(self.runs[0]), width)
            yield []
        yield from self.charts(width)
        yield []
        yield from self._figures(width)
        told = [(letter(number), warning) for number, run in enumerate(self.runs) for warning in run.warnings]
        if told:
            yield []
        for run, warning in told:
            where = f"run {run}, " if len(self.runs) > 1 else ""
            text = f"{where}step {warning.step:,}: {warning.message}"
            yield from hanging([("warning: ", "yellow")], text, "", width)
            if warning.help:
                yield from hanging([("   help: ", "dim")], warning.help, "", width)

    def json_chunks(self) -> Iterator[str]:
        """A run with its figures, epochs and warnings a line; what is not finite is null."""
        return json_document({"netcalc": __version__, "runs": JsonRows(map(_run_dict, self.runs))})

    def table(self) -> Table:
        """A row a run."""
        return Table(_COLUMNS, [_row(run) for run in self.runs])

    def charts(self, width: int | None) -> Iterator[list[Segment]]:
        """The curves alone."""
        drawn = panels(self.runs)
        if drawn:
            yield from chart_lines(drawn, width)
        else:
            yield [("no loss is finite: there is nothing to draw", "")]

    def draw(self, path: str) -> bool:
        """Draw the curves into a file, whose ending says the type, if there are any; raises OSError."""
        from netcalc.render.curves.plots import draw

        drawn = panels(self.runs)
        of_one = len(self.runs) == 1
        if drawn:
            names = ["training", "validation"] if of_one else [run.name for run in self.runs]
            draw(drawn, names, self.runs[0].name if of_one else "", path)
        return bool(drawn)

    def _figures(self, width: int | None) -> Iterator[list[Segment]]:
        rows = [_row(run) for run in self.runs]
        several = len(rows) > 1
        columns = []
        for at, column in enumerate(_COLUMNS):
            values = [row[at] for row in rows]
            told = not several and column.name in _TOLD
            if (
                told
                or all(value is None for value in values)
                or (column.name == "warnings" and not any(values))
            ):
                continue
            texts = ["" if value is None else column.show(value) for value in values]
            style: str | list[str] = "bold" if column.name == "validation_accuracy" else ""
            if at == 0:
                texts = [f"{letter(number)}  {text}" for number, text in enumerate(texts)]
                style = [STYLES[number % len(STYLES)] for number in range(len(rows))]
            heading = Heading(column.group, column.heading, column.left)
            columns.append(TextColumn(heading, texts, style, drop=_DROPPED.get(column.name, 0)))
        yield from text_table(columns, width, LEAST_NAME)


def _facts(run: "RunHistory") -> list[str]:
    steps = run.steps[-1].step if run.steps else run.epochs[-1].step
    return [counted(len(run.epochs), "epoch"), counted(steps, "step")]


def _row(run: "RunHistory") -> tuple[object, ...]:
    best, last = run.best, run.epochs[-1] if run.epochs else run.steps[-1]
    steps = max([*(step.step for step in run.steps[-1:]), *(epoch.step for epoch in run.epochs[-1:])])
    return (
        run.name,
        len(run.epochs),
        steps,
        last.loss,
        last.accuracy,
        getattr(last, "validation_loss", None),
        getattr(last, "validation_accuracy", None),
        None if best is None else best.epoch + 1,
        None if best is None else best.validation_loss,
        None if best is None else best.validation_accuracy,
        len(run.warnings),
    )


def _run_dict(run: "RunHistory") -> dict[str, Any]:
    figures = zip((column.name for column in _COLUMNS), map(_plain, _row(run)), strict=True)
    return {
        **dict(figures),
        "epoch_records": [
            {name: _plain(value) for name, value in epoch._asdict().items()} for epoch in run.epochs
        ],
        "warning_records": [warning._asdict() for warning in run.warnings],
    }


def _plain(value: object) -> object:
    return None if isinstance(value, float) and not isfinite(value) else value
