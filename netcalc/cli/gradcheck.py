"""netcalc gradcheck: whether the gradients are right."""

from typing import Annotated

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
    progress,
)
from netcalc.cli.output import output_of
from netcalc.diagnostics import nearest
from netcalc.graph import Graph
from netcalc.render.result import Shown


def command(
    spec: SpecArgument,
    layer: Annotated[
        list[str] | None, typer.Option("--layer", metavar="NAME", help="This layer alone; repeatable.")
    ] = None,
    training: Annotated[
        bool,
        typer.Option("--training/--inference", help="Batch statistics and dropout as in training, or not."),
    ] = True,
    batch: Annotated[int, typer.Option("--batch", min=1, max=2**16, help="Samples run together.")] = 2,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**63 - 1, help="What random numbers start from.")
    ] = 0,
    format: FormatOption = None,
    output: OutputOption = "",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """Analytic gradients against finite differences, for every layer's inputs and parameters.

    netcalc gradcheck lenet5
    netcalc gradcheck resnet18 --input 3x32x32 --layer stage1.0.main.conv1

    In float64, along random directions and single elements. Exits 1 where a gradient is wrong.
    """
    to = output_of(format, output)
    graph = load_graph(spec, set, input, variant)
    names = tuple(layer or ())
    _check_layers(graph, names)
    from netcalc.backend.gradcheck import check_gradients
    from netcalc.render.execution.gradients import GradientCheck, gradient_table, json_chunks
    from netcalc.render.execution.verification import gradcheck_lines

    with progress(len(names) or len(graph.nodes), "checking") as advance:
        checks = tuple(check_gradients(graph, seed, batch, training, names, lambda node: advance(1)))
    found = GradientCheck(graph, batch, seed, training, checks)
    to.show(
        Shown(
            lambda width: gradcheck_lines(checks, width),
            lambda: json_chunks(found, __version__),
            lambda: gradient_table(found),
        )
    )
    if any(check.verdict == "wrong" for check in checks):
        raise typer.Exit(1)


def _check_layers(graph: Graph, names: tuple[str, ...]) -> None:
    known = [node.full_name for node in graph.nodes]
    for name in names:
        if name not in known:
            match = nearest(name, known)
            hint = f"; did you mean {match}?" if match else ""
            raise typer.BadParameter(f"{graph.name} has no layer {name!r}{hint}", param_hint="--layer")
