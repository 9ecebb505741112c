"""netcalc explain: how each figure of a layer comes about."""

from typing import Annotated

import typer

from netcalc.analysis import Report, Row, analyze
from netcalc.cli.common import (
    InputOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_graph,
    suggestion,
    terminal,
)


def command(
    spec: SpecArgument,
    layer: Annotated[
        str, typer.Argument(metavar="LAYER", help="The name of a layer, as the table shows it.")
    ],
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """The formula of each figure of a layer, and the same with the numbers put in.

    netcalc explain alexnet.yaml conv1
    """
    from netcalc.render.table.explanation import explanation_lines

    report = analyze(load_graph(spec, set, input, variant))
    shown = terminal()
    shown.write(explanation_lines(report, _row(report, layer), shown.width))


def _row(report: Report, name: str) -> Row:
    names = {row.node.full_name: row for row in report.rows}
    if name not in names:
        few = ", ".join(list(names)[:20]) + (", ..." if len(names) > 20 else "")
        hint = suggestion(name, names, f"there are {few}.")
        raise typer.BadParameter(f"{report.graph.name} has no layer {name!r}; {hint}", param_hint="LAYER")
    return names[name]
