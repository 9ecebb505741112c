"""What a training shows while it runs: a line for each epoch, a bar between them, warnings."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console

from netcalc.render.layout import Segment, hanging
from netcalc.render.terminal import Terminal
from netcalc.render.training.epochs import EpochTable
from netcalc.render.training.progress import ProgressBar
from netcalc.train.records import EpochRecord, Observer, StepRecord, TrainingWarning

if TYPE_CHECKING:
    from netcalc.train.loop import Training


class ShownTraining(Observer):
    """Writes epochs to standard output and shows the progress on standard error where that is a terminal.

    A context manager: the bar is there inside.
    """

    def __init__(self, training: "Training", terminal: Terminal) -> None:
        self._training, self._terminal = training, terminal
        console = Console(stderr=True)
        shows_bar = console.is_terminal and not console.is_dumb_terminal
        self._warnings = Terminal(console)
        self._bar = ProgressBar(training, console) if shows_bar else None
        is_classifier = next(iter(training.loss.terms.values()))[0].of_classes
        trained_on = training.counts[0]
        if training.recipe.drop_last:
            trained_on = len(training.batches) * training.recipe.batch
        self._table = EpochTable(trained_on, is_classifier, training.validation is not None, terminal.width)

    def __enter__(self) -> Self:
        self._write(self._table.headings())
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def after_step(self, record: StepRecord, gradients: Mapping[str, Any]) -> Iterable[TrainingWarning]:
        return self._bar.after_step(record, gradients) if self._bar is not None else ()

    def after_epoch(self, record: EpochRecord) -> Iterable[TrainingWarning]:
        is_best = self._training.validation is not None and self._training.improved
        self._without_bar(self._terminal, [self._table.line(record, is_best)])
        return ()

    def warned(self, warning: TrainingWarning) -> None:
        head = [("warning ", "bold yellow")]
        text = f"step {warning.step:,}: {warning.message}"
        help = f"; {warning.help}" if warning.help else ""
        lines = [*hanging(head, text + help, "", self._warnings.width)]
        self._without_bar(self._warnings, lines)

    def _without_bar(self, terminal: Terminal, lines: list[list[Segment]]) -> None:
        """Write lines where the bar is, which goes on below them."""
        if self._bar is not None:
            self._bar.stop()
        terminal.write(lines)
        terminal.console.file.flush()
        if self._bar is not None:
            self._bar.start()

    def _write(self, lines: list[list[Segment]]) -> None:
        self._terminal.write(lines)
        self._terminal.console.file.flush()
