"""netcalc compare: two networks or more side by side, and what differs between two."""

from typing import Annotated

import typer

from netcalc.analysis import analyze
from netcalc.api.compare import compared, require_comparable
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
    require_comparable(len(specs), diff)
    refuse_second_standard_input(specs)
    graphs = [_graph(spec, set, input, variant) for spec in specs]
    to.show(compared([analyze(graph, batch, dtype, convention) for graph in graphs], specs, diff))


def _graph(spec: str, set: list[str] | None, input: list[str] | None, variant: str | None) -> Graph:
    """The graph of a spec; where an option does not suit it, the message says which spec that is."""
    with asked_of_each(spec):
        return load_graph(spec, set, input, variant)
