"""netcalc explain: how each figure of a layer comes about."""

from typing import Annotated

import typer

from netcalc import __version__
from netcalc.analysis import Report, Row, analyze
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
    from netcalc.render.table.explained import explanation_table, json_chunks
    from netcalc.render.table.explanation import explanation_lines

    to = output_of(format, output)
    report = analyze(load_graph(spec, set, input, variant), batch, dtype, convention)
    row = _row(report, layer)
    to.show(
        lambda width: explanation_lines(report, row, width),
        lambda: json_chunks(report, row, __version__),
        lambda: explanation_table(report, row),
    )


def _row(report: Report, name: str) -> Row:
    names = {row.node.full_name: row for row in report.rows}
    if name not in names:
        few = ", ".join(list(names)[:20]) + (", ..." if len(names) > 20 else "")
        hint = suggestion(name, names, f"there are {few}.")
        raise typer.BadParameter(f"{report.graph.name} has no layer {name!r}; {hint}", param_hint="LAYER")
    return names[name]
