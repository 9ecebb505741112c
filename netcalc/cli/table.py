"""netcalc table: what each layer of a network takes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from netcalc import __version__
from netcalc.analysis import Report, analyze
from netcalc.cli.common import (
    BatchOption,
    ConventionOption,
    DtypeOption,
    InputOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_graph,
    suggestion,
    terminal,
    write,
)
from netcalc.render.table.lines import TableView

if TYPE_CHECKING:
    from netcalc.render.table.columns import Column

Format = Literal["rich", "json", "csv", "markdown", "latex"]


def command(
    spec: SpecArgument,
    format: Annotated[Format, typer.Option("--format", "-f", help="How the table is written.")] = "rich",
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
    view = TableView(every_layer, depth, _listed(columns), tree, percent)
    if bars and (tree or percent):
        option = "--tree" if tree else "--percent"
        raise typer.BadParameter(f"--bars draws charts in place of a table; leave {option} out")
    kinds = _listed(only)
    report = analyze(load_graph(spec, set, input, variant), batch, dtype, convention)
    _check_columns(report, view)
    if kinds:
        _check_kinds(kinds)
        report = report.restricted(kinds)
    if format == "rich":
        from netcalc.render.table.text import table_lines

        out = terminal()
        out.write(table_lines(report, view, bars=bars, width=out.width))
    else:
        write(_chunks(report, format, view))


def _chunks(report: Report, format: Format, view: TableView) -> Iterable[str]:
    if format == "json":
        from netcalc.render.table.json import json_chunks

        return json_chunks(report, __version__, view)
    if format == "csv":
        from netcalc.render.table.csv import csv_chunks

        return csv_chunks(report, view)
    if format == "markdown":
        from netcalc.render.table.markdown import markdown_chunks

        return markdown_chunks(report, view)
    from netcalc.render.table.latex import latex_chunks

    return latex_chunks(report, view)


def _listed(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",")) if names else ()


def _check_kinds(names: tuple[str, ...]) -> None:
    from netcalc.layers import LAYERS

    known = [*LAYERS, *dict.fromkeys(layer.family for layer in LAYERS.values())]
    for name in names:
        if name not in known:
            hint = suggestion(name, known, "netcalc layers lists them.")
            raise typer.BadParameter(f"there is no kind of layer {name!r}; {hint}", param_hint="--only")


def _check_columns(report: Report, view: TableView) -> None:
    from netcalc.render.table.columns import columns

    known = columns(report.convention)
    for name in view.wanted:
        if name.removeprefix("+") not in known:
            hint = suggestion(name, known, f"there are {', '.join(known)}.")
            raise typer.BadParameter(f"there is no column {name!r}; {hint}", param_hint="--columns")
    if view.percent and view.wanted:
        _check_figures(known, view.wanted)


def _check_figures(known: "dict[str, Column]", wanted: tuple[str, ...]) -> None:
    """Refuse columns none of which has shares of a total."""
    sums = [name for name, column in known.items() if column.of_figures is not None]
    if not any(name.startswith("+") or name in sums for name in wanted):
        message = f"none of the columns has a total; add one of {', '.join(sums)}"
        raise typer.BadParameter(message, param_hint="--percent")
