"""netcalc table: what each layer of a network takes."""

from typing import Annotated

import typer

from netcalc.api.analyze import analyze
from netcalc.cli.common import (
    BatchOption,
    ConventionOption,
    DtypeOption,
    FormatOption,
    InputOption,
    OutputOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_graph,
)
from netcalc.cli.output import output_of
from netcalc.diagnostics import names
from netcalc.render.table.lines import TableView


def command(
    spec: SpecArgument,
    format: FormatOption = None,
    output: OutputOption = "",
    columns: Annotated[
        str,
        typer.Option(
            "--columns", metavar="NAMES", help="Columns by name, with commas; +name adds one to the default."
        ),
    ] = "",
    convention: ConventionOption = "lecture",
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    every_layer: Annotated[
        bool, typer.Option("--all", "-a", help="Every layer on its own line, and the input on the first.")
    ] = False,
    depth: Annotated[
        int | None, typer.Option("--depth", min=1, help="Fold the net to its blocks, so many names deep.")
    ] = None,
    only: Annotated[
        str,
        typer.Option("--only", metavar="KINDS", help="Some kinds of layers alone: conv,linear."),
    ] = "",
    tree: Annotated[
        bool, typer.Option("--tree", help="Nested blocks, each above what it holds, with shares.")
    ] = False,
    percent: Annotated[
        bool, typer.Option("--percent", help="Beside each figure its share of the whole network.")
    ] = False,
    bars: Annotated[
        bool, typer.Option("--bars", help="Bar charts of memory, parameters and FLOPs instead.")
    ] = False,
) -> None:
    """The per-layer table: output sizes, memory, parameters and FLOPs, as the lectures draw it.

    netcalc table alexnet.yaml
    netcalc table vgg16 --convention flops --batch 32 --columns +rf,+macs
    netcalc table resnet50 --tree --depth 2
    netcalc table my.yaml --format json > my.json
    """
    to = output_of(format, output)
    view = TableView(every_layer, depth, names("columns", columns), tree, percent)
    _refuse_idle(to.format, view, bars)
    report = analyze(load_graph(spec, set, input, variant), batch, dtype, convention)
    to.show(
        report.shown(
            every_layer=every_layer,
            depth=depth,
            columns=columns,
            tree=tree,
            percent=percent,
            only=only,
            bars=bars,
        )
    )


def _refuse_idle(format: str, view: TableView, bars: bool) -> None:
    """Raise typer.BadParameter for an option that has nothing to act on."""
    if bars and format != "rich":
        raise typer.BadParameter(f"bars are drawn in a terminal, {format} has none.", param_hint="--bars")
    if format == "json" and view.wanted:
        raise typer.BadParameter("json has every figure; csv has columns.", param_hint="--columns")
    if format in ("json", "csv") and view.every_layer:
        raise typer.BadParameter(f"{format} has every layer; leave it out.", param_hint="--all")
    if view.depth is not None and format in ("json", "csv") and not view.tree:
        message = f"{format} has every layer; leave it out, or add --tree."
        raise typer.BadParameter(message, param_hint="--depth")
