"""netcalc curves: how trainings went, one or several beside each other."""

import os
from typing import Annotated

import typer

from netcalc.cli.common import FormatOption, OutputOption, print_error
from netcalc.cli.output import output_of
from netcalc.cli.plot_files import check_plot

_MOST = 26
"""The runs that have letters."""


def command(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Folders that `netcalc train` wrote, or their metrics.jsonl."),
    ],
    plot_file: Annotated[
        str, typer.Option("--plot", metavar="FILE", help="The curves as a .png, .svg or .pdf.")
    ] = "",
    format: FormatOption = None,
    output: OutputOption = "",
) -> None:
    """Learning curves of trainings, and where they ended: one, or several compared.

    netcalc curves runs/lenet
    netcalc curves runs/lenet runs/lenet-wide --plot curves.svg
    netcalc curves runs/* -o results.csv
    """
    to = output_of(format, output)
    if len(runs) > _MOST:
        raise typer.BadParameter(f"{_MOST} runs at most are compared, not {len(runs)}.", param_hint="RUN")
    for number, run in enumerate(runs):
        if run in runs[:number]:
            raise typer.BadParameter(f"{run} is given twice.", param_hint="RUN")
    from netcalc.render.curves.result import CurvesResult
    from netcalc.train.history import METRICS, read_history

    files = [*runs, *(os.path.join(run, METRICS) for run in runs)]
    if output or plot_file:
        from netcalc.train.run_folder import RunFolder

        folders = [run if os.path.isdir(run) else os.path.dirname(run) for run in runs]
        files += [str(file) for folder in folders for file in RunFolder(folder).files()]
    if output and any(os.path.realpath(output) == os.path.realpath(file) for file in files):
        raise typer.BadParameter(
            f"{output} is what the command reads; name another file.", param_hint="--output"
        )
    if plot_file:
        check_plot(plot_file, [output, *files])

    result = CurvesResult([read_history(run) for run in runs])
    to.show(result)
    if plot_file and result.draw(plot_file):
        print_error(f"drawn into {plot_file}")
