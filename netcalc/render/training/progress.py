"""The progress of a training on standard error, where that is a terminal."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from netcalc.render.training.words import accuracy_text, duration, loss_text
from netcalc.train.records import EpochRecord, Observer, StepRecord, TrainingWarning

if TYPE_CHECKING:
    from netcalc.train.loop import Training

_WIDE, _MIDDLE = 96, 72
_MEMORY = 0.95
"""What the running means of loss, accuracy and speed keep of themselves."""


class ProgressBar(Observer):
    """A bar over all steps of a run, with the loss, the accuracy, samples a second and the time left."""

    def __init__(self, training: "Training", console: Console) -> None:
        self._epochs = training.recipe.epochs
        self._total = training.updates * self._epochs
        self._loss = self._accuracy = self._speed = self._seconds = 0.0
        self._weight = 0.0
        columns: list[ProgressColumn] = [TextColumn("{task.fields[epoch]}"), BarColumn(None)]
        columns += [TextColumn("loss {task.fields[loss]}")]
        if console.width >= _MIDDLE:
            columns += [TextColumn("{task.fields[accuracy]}")]
        if console.width >= _WIDE:
            columns += [TextColumn("{task.fields[speed]} samples/s")]
        columns += [_TimeLeft()]
        self._bar = Progress(
            *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        fields: dict[str, Any] = {"loss": "", "accuracy": "", "speed": "", "left": ""}
        epoch = self._epoch(training.at.epoch)
        self._task = self._bar.add_task(
            "", total=self._total, completed=training.at.step, epoch=epoch, **fields
        )

    def start(self) -> None:
        """Show the bar."""
        self._bar.start()

    def stop(self) -> None:
        """Take it away, to show something else or for good."""
        self._bar.stop()

    def after_step(self, record: StepRecord, gradients: Mapping[str, Any]) -> Iterable[TrainingWarning]:
        self._weight = _MEMORY * self._weight + 1 - _MEMORY
        self._loss = self._mean(self._loss, record.loss)
        self._accuracy = self._mean(self._accuracy, record.accuracy or 0.0)
        self._speed = self._mean(self._speed, record.samples / record.seconds)
        self._seconds = self._mean(self._seconds, record.seconds)
        left = self._seconds / self._weight * (self._total - record.step)
        self._bar.update(
            self._task,
            completed=record.step,
            epoch=self._epoch(record.epoch),
            loss=loss_text(self._loss / self._weight),
            accuracy="" if record.accuracy is None else accuracy_text(self._accuracy / self._weight),
            speed=f"{self._speed / self._weight:,.0f}",
            left=duration(left) if left >= 1 else "",
        )
        return ()

    def after_epoch(self, record: EpochRecord) -> Iterable[TrainingWarning]:
        return ()

    def _mean(self, before: float, new: float) -> float:
        return _MEMORY * before + (1 - _MEMORY) * new

    def _epoch(self, number: int) -> str:
        return f"epoch {min(number + 1, self._epochs)}/{self._epochs}"


class _TimeLeft(ProgressColumn):
    """The time that the remaining steps take."""

    def render(self, task: Task) -> Text:
        left = task.fields["left"]
        return Text(f"{left} left" if left else "")
