"""A training on the command line: what it will take, its progress, Ctrl-C, and what comes of it."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from netcalc.cli.common import print_error
from netcalc.diagnostics import Diagnostic, ExecutionError

if TYPE_CHECKING:
    from netcalc.render.terminal import Terminal
    from netcalc.train.loop import Training
    from netcalc.train.run_folder import Interruption, RunFolder


class StartedRun(NamedTuple):
    """A training at its beginning or where a checkpoint has it, and its folder."""

    training: "Training"
    folder: "RunFolder"
    spec: str | None
    """The text of the spec where the folder is yet to be made."""
    seen: dict[str, Any] | None = None
    """What the monitor of a run that goes on has seen."""


def carry_out(run: StartedRun, keep: int, every: tuple[int | None, float | None]) -> None:
    """Say what the run will take, and train."""
    from netcalc.render.layout import paragraph
    from netcalc.render.terminal import Terminal
    from netcalc.render.training.shown import ShownTraining
    from netcalc.render.training.summary import summary_lines
    from netcalc.render.training.words import kept_in_words
    from netcalc.train.estimate import estimated
    from netcalc.train.monitoring import Monitor
    from netcalc.train.run_folder import Interruption, MetricsFile, Saving

    training, folder = run.training, run.folder
    terminal = Terminal(Console())
    if training.at.epoch >= training.recipe.epochs:
        print_error(f"all {training.recipe.epochs} epochs of {folder.path} are done")
        _finish(run, terminal)
        return
    terminal.write(summary_lines(training, estimated(training), terminal.width))
    sys.stdout.flush()
    if run.spec is not None:
        folder.create(training.recipe, run.spec)
    metrics = MetricsFile(folder)
    steps, seconds = every
    interruption, monitor = Interruption(), Monitor.of(training)
    if run.seen is not None:
        monitor.restore(run.seen)
    saving = Saving(training, folder, metrics, interruption, monitor, keep=keep, steps=steps, seconds=seconds)
    shown = ShownTraining(training, terminal)
    try:
        with _interrupts(interruption), shown:
            training.run([metrics, monitor, saving, shown, interruption])
    except KeyboardInterrupt:
        print_error(f"interrupted at step {training.at.step:,}; {_how_to_go_on(folder)}")
        raise
    except ExecutionError:
        print_error(f"stopped at step {training.at.step:,}; {_how_to_go_on(folder)}")
        raise
    finally:
        metrics.close()
        training.close()
        folder.release()
    _show_curves(folder, terminal)
    terminal.write([[], *paragraph(kept_in_words(training.at), "", terminal.width)])
    print_error(f"written: {folder.weights}")


def _finish(run: StartedRun, terminal: "Terminal") -> None:
    """Write what a run lacks that was interrupted after its last step: its picture, and lost weights."""
    training, folder = run.training, run.folder
    if not folder.weights.exists():
        if not training.improved:
            best = f"epoch {(training.at.best_epoch or 0) + 1}"
            message = f"{folder.weights} is gone; the checkpoint has the last weights, {best} had the best"
            raise ExecutionError([Diagnostic("E934", message)])
        folder.write_weights(training)
        print_error(f"written: {folder.weights}")
    from netcalc.render.figures import is_available

    if is_available() and not (folder.path / "curves.svg").exists():
        _show_curves(folder, terminal)


def _show_curves(folder: "RunFolder", terminal: "Terminal") -> None:
    """Show the curves of the whole run, and draw them into its folder where matplotlib is there."""
    from netcalc.render.curves.result import CurvesResult
    from netcalc.render.figures import is_available
    from netcalc.train.history import read_history

    curves = CurvesResult([read_history(folder.path)])
    terminal.write([[], *curves.charts(terminal.width)])
    if is_available():
        curves.draw(str(folder.path / "curves.svg"))


def _how_to_go_on(folder: "RunFolder") -> str:
    from netcalc.train.checkpoints import checkpoints_in, step_of

    found = checkpoints_in(folder.checkpoints)
    if not found:
        return f"there is no checkpoint yet; netcalc train --resume {folder.path} begins anew"
    return f"netcalc train --resume {folder.path} goes on from step {step_of(found[-1]):,}"


@contextmanager
def _interrupts(interruption: "Interruption") -> Iterator[None]:
    """Let the first Ctrl-C ask for a checkpoint at the next step's end; the second one ends at once."""

    def interrupted(*_: object) -> None:
        if interruption.asked:
            raise KeyboardInterrupt
        interruption.asked = True
        print_error("interrupted: a checkpoint is written at the end of this step; once more ends at once")

    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
