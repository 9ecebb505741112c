"""netcalc table: what each layer of a network takes."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from netcalc import __version__
from netcalc.analysis import Report, analyze
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
    suggestion,
)
from netcalc.cli.output import Output, output_of
from netcalc.render.layout import Segment
from netcalc.render.table.lines import TableView

if TYPE_CHECKING:
    from netcalc.render.table.columns import Column
    from netcalc.render.tabular import Table


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
    view = TableView(every_layer, depth, _listed(columns), tree, percent)
    _refuse_idle(to.format, view, bars)
    kinds = _listed(only)
    report = analyze(load_graph(spec, set, input, variant), batch, dtype, convention)
    _check_columns(report, view)
    if kinds:
        _check_kinds(kinds)
        report = report.restricted(kinds)
    _show(report, view, bars, to)


def _show(report: Report, view: TableView, bars: bool, to: Output) -> None:
    def lines(width: int | None) -> Iterable[Sequence[Segment]]:
        from netcalc.render.table.text import table_lines

        return table_lines(report, view, bars=bars, width=width)

    def json() -> Iterable[str]:
        from netcalc.render.table.json import json_chunks

        return json_chunks(report, __version__, view)

    def table() -> "Table":
        from netcalc.render.table.tabular import exact_table, shown_as_table

        return exact_table(report, view) if to.format == "csv" else shown_as_table(report, view)

    to.show(lines, json, table)


def _refuse_idle(format: str, view: TableView, bars: bool) -> None:
    """Raise typer.BadParameter for an option that has nothing to act on."""
    if bars and format != "rich":
        raise typer.BadParameter(f"bars are drawn in a terminal, {format} has none.", param_hint="--bars")
    shown = {"--tree": view.tree, "--percent": view.percent, "--columns": view.wanted}
    if bars and any(shown.values()):
        option = next(option for option in shown if shown[option])
        raise typer.BadParameter(f"--bars draws charts in place of a table; leave {option} out")
    if format == "json" and view.wanted:
        raise typer.BadParameter("json has every figure; csv has columns.", param_hint="--columns")
    if format in ("json", "csv") and view.every_layer:
        raise typer.BadParameter(f"{format} has every layer; leave it out.", param_hint="--all")
    if view.depth is not None and format in ("json", "csv") and not view.tree:
        message = f"{format} has every layer; leave it out, or add --tree."
        raise typer.BadParameter(message, param_hint="--depth")


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
