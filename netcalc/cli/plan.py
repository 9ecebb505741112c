"""netcalc plan: how fast inference would go about a network."""

from typing import Annotated, Literal

import typer

from netcalc.cli.common import InputOption, SetOption, SpecArgument, VariantOption, load_graph, terminal


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
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """The plan of fast inference: each layer's algorithm, what is fused into it, and the memory of all.

    netcalc plan alexnet
    netcalc plan resnet50 --batch 8

    Nothing is run. From Python a plan is made by netcalc.InferencePlan.
    """
    graph = load_graph(spec, set, input, variant)
    from netcalc.backend.plan import lowered
    from netcalc.render.execution.plan import plan_lines

    out = terminal()
    out.write(plan_lines(lowered(graph, batch, dtype, workers), out.width))
