"""netcalc compare: two networks or more side by side, and what differs between two."""

from typing import Annotated

import typer

from netcalc import __version__
from netcalc.analysis import analyze
from netcalc.analysis.comparison import compare
from netcalc.cli.common import (
    BatchOption,
    ConventionOption,
    DtypeOption,
    FormatOption,
    InputOption,
    OutputOption,
    SetOption,
    VariantOption,
    asked_of_each,
    load_graph,
    refuse_second_standard_input,
)
from netcalc.cli.output import output_of
from netcalc.graph import Graph
from netcalc.render.comparison.difference import difference_lines
from netcalc.render.comparison.json import difference_json_chunks, json_chunks
from netcalc.render.comparison.tabular import comparison_table, difference_table
from netcalc.render.comparison.text import comparison_lines


def command(
    specs: Annotated[
        list[str],
        typer.Argument(metavar="SPEC SPEC...", help="YAML files or bundled architectures, two or more."),
    ],
    format: FormatOption = None,
    output: OutputOption = "",
    diff: Annotated[
        bool, typer.Option("--diff", help="Of two: which layers came, went or changed, and what that costs.")
    ] = False,
    convention: ConventionOption = "lecture",
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """Totals side by side and their ratios to the first; with --diff the difference, layer by layer.

    netcalc compare alexnet vgg16-lecture
    netcalc compare resnet18 resnet34 --diff
    netcalc compare resnet50 regnet_y_3_2gf --input 160 --batch 64

    --input, --set and --variant apply to every spec.
    """
    to = output_of(format, output)
    _check(specs, diff)
    graphs = [_graph(spec, set, input, variant) for spec in specs]
    comparison = compare([analyze(graph, batch, dtype, convention) for graph in graphs], specs)
    to.show(
        lambda width: (difference_lines if diff else comparison_lines)(comparison, width),
        lambda: (difference_json_chunks if diff else json_chunks)(comparison, __version__),
        lambda: (difference_table if diff else comparison_table)(comparison),
    )


def _graph(spec: str, set: list[str] | None, input: list[str] | None, variant: str | None) -> Graph:
    """The graph of a spec; where an option does not suit it, the message says which spec that is."""
    with asked_of_each(spec):
        return load_graph(spec, set, input, variant)


def _check(specs: list[str], diff: bool) -> None:
    if len(specs) < 2:
        raise typer.BadParameter("a comparison needs two specs or more, here is one.", param_hint="SPEC")
    refuse_second_standard_input(specs)
    if diff and len(specs) != 2:
        message = f"a difference lies between two specs, here are {len(specs)}."
        raise typer.BadParameter(message, param_hint="--diff")
