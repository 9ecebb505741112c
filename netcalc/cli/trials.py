"""netcalc train --lr-find and --overfit-batch: steps that find something out, of which nothing is kept."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from netcalc.cli.common import print_error, progress, terminal
from netcalc.cli.plot_files import check_plot

if TYPE_CHECKING:
    from netcalc.train.loop import Training
    from netcalc.train.records import TrainingWarning

RateSearchOption = Annotated[
    bool,
    typer.Option(
        "--lr-find", help="Only look for a learning rate: where the loss falls fastest, and its curve."
    ),
]
OverfitOption = Annotated[
    bool,
    typer.Option(
        "--overfit-batch", help="Only see whether the network can learn: train on one batch by heart."
    ),
]
TrialPlotOption = Annotated[
    str, typer.Option("--plot", metavar="FILE", help="The curve of either as a .png, .svg or .pdf.")
]


def check_trial(
    lr_find: bool, overfit_batch: bool, plot: str, output: str, resume: str, augment: str | None
) -> None:
    """Raise typer.BadParameter where the options of trials do not go together, or with another one."""
    name = "--lr-find" if lr_find else "--overfit-batch"
    if lr_find and overfit_batch:
        _refuse("--overfit-batch", "one at a time: --lr-find is there too.")
    if not lr_find and not overfit_batch:
        if plot:
            _refuse(
                "--plot", "it is of --lr-find or --overfit-batch; a run draws curves.svg into its folder."
            )
        return
    if output:
        _refuse("--output", f"{name} keeps nothing; --plot draws its curve.")
    if resume:
        _refuse("--resume", f"{name} is for the beginning of a training.")
    if overfit_batch and augment is not None:
        _refuse("--augment", "--overfit-batch learns a batch as it is.")
    if plot:
        check_plot(plot, [])


def refuse_unused(lr_find: bool, keep: int | None, every: str, *of_runs: str | float | None) -> None:
    """Raise typer.BadParameter for options of a whole run; `of_runs` are its epochs, schedule and average."""
    name = "--lr-find" if lr_find else "--overfit-batch"
    named: dict[str, str | float | None] = {"--keep": keep, "--checkpoint-every": every}
    named |= dict(zip(("--epochs", "--schedule", "--ema"), of_runs, strict=True))
    for option, value in named.items():
        if value not in (None, ""):
            _refuse(option, f"it does nothing with {name}, which takes steps of its own and keeps nothing.")


def find_rate(training: "Training", plot: str) -> None:
    """Look for a learning rate, and show what was found."""
    from netcalc.render.curves.rates import draw_rates, rate_lines
    from netcalc.train.rate_finder import STEPS, find_rate

    name, to = training.network.graph.name, terminal()
    with _closing(training), progress(STEPS, "trying rates") as advance:
        search = find_rate(training, done=lambda: advance(1))
    to.write(rate_lines(name, search, to.width))
    sys.stdout.flush()
    if plot and search.trials:
        draw_rates(name, search, plot)
        print_error(f"drawn into {plot}")
    if search.best is None:
        print_error("no learning rate lowers the loss; --overfit-batch tells whether the network can learn")
        raise typer.Exit(1)


def overfit_batch(training: "Training", plot: str) -> None:
    """Train on one batch, and say whether the network can learn."""
    from netcalc.render.curves.overfitting import advice, overfitting_lines, overfitting_panels
    from netcalc.train.overfitting import STEPS, overfit

    name, to = training.network.graph.name, terminal()
    with _closing(training), progress(STEPS, "learning one batch") as advance:
        found = overfit(training, done=lambda record: advance(1))
    to.write(overfitting_lines(name, found, to.width))
    sys.stdout.flush()
    for warning in found.warnings:
        _show_warning(warning)
    drawn = overfitting_panels(found)
    if plot and drawn:
        from netcalc.render.curves.plots import draw

        draw(drawn, ["one batch"], name, plot)
        print_error(f"drawn into {plot}")
    if not found.reached:
        print_error(f"warning: the network does not learn one batch; {advice(found)}")
        raise typer.Exit(1)


def _show_warning(warning: "TrainingWarning") -> None:
    help = f"; {warning.help}" if warning.help else ""
    print_error(f"warning: step {warning.step:,}: {warning.message}{help}")


@contextmanager
def _closing(training: "Training") -> Iterator[None]:
    try:
        yield
    finally:
        training.close()


def _refuse(option: str, message: str) -> NoReturn:
    raise typer.BadParameter(message, param_hint=option)
