"""netcalc explain: how each figure of a layer comes about."""

from typing import Annotated

import typer

from netcalc.api.explain import explain
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


def command(
    spec: SpecArgument,
    layer: Annotated[
        str, typer.Argument(metavar="LAYER", help="The name of a layer, as the table shows it.")
    ],
    format: FormatOption = None,
    output: OutputOption = "",
    convention: ConventionOption = "lecture",
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """The formula of each figure of a layer, and the same with the numbers put in.

    netcalc explain alexnet.yaml conv1
    netcalc explain resnet50 stage1.0.main.conv1 --batch 32 --format latex
    """
    to = output_of(format, output)
    to.show(explain(load_graph(spec, set, input, variant), layer, batch, dtype, convention))
