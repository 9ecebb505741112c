"""netcalc plan: how fast inference would go about a network."""

from typing import Annotated, Literal

import typer

from netcalc import __version__
from netcalc.cli.common import (
    FormatOption,
    InputOption,
    OutputOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_graph,
)
from netcalc.cli.output import output_of
from netcalc.render.result import Shown


def command(
    spec: SpecArgument,
    batch: Annotated[int, typer.Option("--batch", min=1, max=2**16, help="Samples run together.")] = 1,
    dtype: Annotated[
        Literal["float32", "float64"], typer.Option("--dtype", help="The numbers it computes with.")
    ] = "float32",
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=64, help="Threads that share the work; as many as pay."),
    ] = None,
    format: FormatOption = None,
    output: OutputOption = "",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """The plan of fast inference: each layer's algorithm, what is fused into it, and the memory of all.

    netcalc plan alexnet
    netcalc plan resnet50 --batch 8

    Nothing is run. From Python a plan is made by netcalc.InferencePlan.
    """
    to = output_of(format, output)
    graph = load_graph(spec, set, input, variant)
    from netcalc.backend.plan import lowered
    from netcalc.render.execution.plan import plan_lines
    from netcalc.render.execution.plan_data import json_chunks, plan_table

    program = lowered(graph, batch, dtype, workers)
    to.show(
        Shown(
            lambda width: plan_lines(program, width),
            lambda: json_chunks(program, __version__),
            lambda: plan_table(program),
        )
    )
