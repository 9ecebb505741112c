"""netcalc sweep: many variants of one network."""

import os
import sys
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Annotated, Literal, NamedTuple

import typer

from netcalc.analysis.selection import numeric_columns
from netcalc.analysis.sweep import Sweep, VariantRow, chosen_variants, sweep_rows
from netcalc.api.sweep import RowSelection, planned_sweep, require_sample
from netcalc.cli.common import (
    FORMAT_FLAG,
    BatchOption,
    ConventionOption,
    DtypeOption,
    Format,
    InputOption,
    SpecArgument,
    VariantOption,
    print_error,
    track,
)
from netcalc.cli.executors import sweep_executor
from netcalc.cli.output import ENDINGS, Output, output_of
from netcalc.cli.row_file import RowFile, open_rows
from netcalc.diagnostics import extra_help
from netcalc.render.figures import SUFFIXES, is_available
from netcalc.render.sweep import plots
from netcalc.render.sweep.json import json_line
from netcalc.render.sweep.result import streamed
from netcalc.spec import find_given, read_spec

GridOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUES",
        help="What varies, as width=0.25,0.5,1 or input=128,224; several make a grid.",
    ),
]
SampleOption = Annotated[
    int | None, typer.Option("--sample", min=1, help="So many variants of the grid, drawn at random.")
]
SampleSeedOption = Annotated[int, typer.Option("--seed", help="Which sample is drawn.")]
WhereOption = Annotated[
    str, typer.Option("--where", metavar="CONDITION", help="Show those alone with, say, params < 5e6.")
]
ParetoOption = Annotated[
    str,
    typer.Option(
        "--pareto",
        metavar="COLUMNS",
        help="Show those alone that no other beats in all of these, as macs,params; "
        "-name or name:max where more is better.",
    ),
]
RowFormatOption = Annotated[Literal[Format, "jsonl"] | None, FORMAT_FLAG]
RowsOption = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="In .json, .csv, .md or .tex: what is shown. In others, as .jsonl: every row, a line each, "
        "whatever is shown; one that was interrupted goes on.",
    ),
]
PlotOption = Annotated[
    str,
    typer.Option(
        "--plot", metavar="AXES", help="A plot: x=macs,y=params, and by=COLUMN, kind=line where wanted."
    ),
]
PlotFileOption = Annotated[
    str,
    typer.Option(
        "--plot-file",
        metavar="FILE",
        help="The plot's .png, .svg or .pdf; sweep.png unless given.",
    ),
]
JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=1, max=1024, help="Processes that count.")]
SchedulerOption = Annotated[
    str, typer.Option("--scheduler", metavar="ADDRESS", help="A Dask cluster, as tcp://host:8786.")
]


def command(
    spec: SpecArgument,
    set: GridOption = None,
    sample: SampleOption = None,
    seed: SampleSeedOption = 0,
    where: WhereOption = "",
    pareto: ParetoOption = "",
    format: RowFormatOption = None,
    output: RowsOption = "",
    plot: PlotOption = "",
    plot_file: PlotFileOption = "",
    jobs: JobsOption = 1,
    scheduler: SchedulerOption = "",
    convention: ConventionOption = "lecture",
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    input: InputOption = None,
    variant: VariantOption = None,
) -> None:
    """Many variants of a network, a row each: a grid of arguments and input sizes.

    netcalc sweep mobilenet_v2 --set width=0.5,0.75,1 --set input=128,224
    netcalc sweep resnet50 --set width=32,64,128 --set input=160,224 --pareto macs,-params
    netcalc sweep my.yaml --set width=8,16,32 --jobs 4 -o rows.jsonl --plot x=macs,y=params
    """
    is_result = os.path.splitext(output)[1].lower() in ENDINGS
    to = output_of(format, output if is_result else "")
    if not set:
        raise typer.BadParameter("say what varies, as width=0.25,0.5,1 or input=128,224.", param_hint="--set")
    require_sample(sample, seed)
    source, named = find_given(spec)
    read = read_spec(source, variant or named)
    sweep = planned_sweep(read, set, input or (), batch, dtype, convention)
    with _named("--sample"):
        indices = chosen_variants(sweep, sample, seed)
    choice, drawing = RowSelection.of(sweep, where, pareto), _drawing(sweep, plot, plot_file)
    with ExitStack() as stack:
        file = stack.enter_context(open_rows(output, sweep, indices)) if output and not is_result else None
        quiet = _streams(to, choice, drawing) and not to.path and sys.stdout.isatty()
        counted = _counted(sweep, indices, file, jobs, scheduler, quiet)
        rows = stack.enter_context(closing(counted))
        try:
            _show(sweep, choice, drawing, rows, to)
        except KeyboardInterrupt:
            if file is not None:
                message = f"{file.count():,} of {len(indices):,} variants are in {output}"
                print_error(f"interrupted; {message}, and the same command goes on from there")
            raise


class _Drawing(NamedTuple):
    """What is plotted, and into which file."""

    plot: plots.Plot
    path: str


def _drawing(sweep: Sweep, plot: str, path: str) -> _Drawing | None:
    with _named("--plot"):
        drawn = plots.read_plot(plot, numeric_columns(sweep), sweep.columns[:-1]) if plot else None
    with _named("--plot-file"):
        if path and not plot:
            raise ValueError("--plot says what is drawn, as x=macs,y=params.")
        path = path or "sweep.png"
        if not path.endswith(SUFFIXES):
            raise ValueError(f"a plot's file ends in {', '.join(SUFFIXES)}, unlike {path}.")
        if not os.path.isdir(os.path.dirname(path) or "."):
            raise ValueError(f"there is no folder {os.path.dirname(path)}.")
    if drawn is None:
        return None
    if not is_available():
        raise typer.BadParameter(f"a plot needs matplotlib: {extra_help('plots')}.", param_hint="--plot")
    return _Drawing(drawn, path)


@contextmanager
def _named(option: str) -> Iterator[None]:
    """Make a ValueError a wrong use of an option."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _counted(
    sweep: Sweep, indices: Sequence[int], file: RowFile | None, jobs: int, scheduler: str, quiet: bool
) -> Generator[VariantRow]:
    """Every row: first those that the file has, then the others as they are counted and saved."""
    done = file.rows if file else []
    yield from done
    remaining = indices[len(done) :]
    if not remaining:
        return
    with sweep_executor(jobs, scheduler, len(remaining)) as counting:
        help = "the same command goes on where its --output ends"
        found = counting.watched(sweep_rows(sweep, remaining, *counting[:4]), help)
        for row in found if quiet else track(found, "counting", len(indices), len(done)):
            if file is not None:
                file.append(row)
            yield row


def _show(
    sweep: Sweep, choice: RowSelection, drawing: _Drawing | None, rows: Iterable[VariantRow], to: Output
) -> None:
    counted = Counter[bool]()
    passing = choice.passing(rows, counted)
    if _streams(to, choice, drawing):
        _write(sweep, passing, to)
        return
    chosen = list(passing)
    found = choice.result(sweep, chosen, counted)
    if to.format == "rich":
        to.show(found)
    else:
        _write(sweep, found.rows, to)
    if drawing is None:
        return
    if all(row["error"] is not None for row in chosen):
        print_error("no variant is left to draw")
    else:
        front = found.rows if choice.objectives else ()
        plots.draw(drawing.plot, chosen, front, sweep.name, drawing.path)
        print_error(f"drawn into {drawing.path}")


def _streams(to: Output, choice: RowSelection, drawing: _Drawing | None) -> bool:
    """Whether rows can be written as they are counted."""
    return to.format != "rich" and not choice.objectives and drawing is None


def _write(sweep: Sweep, rows: Iterable[VariantRow], to: Output) -> None:
    if to.format == "jsonl":
        to.write(json_line(sweep, row) for row in rows)
    else:
        to.show(streamed(sweep, rows))
