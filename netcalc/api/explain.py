"""netcalc.explain: how each figure of a layer comes about."""

from collections.abc import Mapping

from netcalc.analysis import Report, Row, analyze
from netcalc.analysis.conventions import ConventionName
from netcalc.api.load import Argument, Inputs, Model, graph_of
from netcalc.diagnostics import ArgumentError, suggestion
from netcalc.render.table.explained import ExplanationResult
from netcalc.tensor import DTypeName


def explain(
    model: Model,
    /,
    layer: str,
    batch: int = 1,
    dtype: DTypeName = "float32",
    convention: ConventionName = "lecture",
    *,
    input: Inputs | None = None,
    variant: str | None = None,
    args: Mapping[str, Argument] | None = None,
) -> ExplanationResult:
    """The formula of each figure of a layer, and the same with the numbers put in.

    `layer` is a name as the table shows it. `input`, `variant` and `args` are those of `load`.

        >>> figure = netcalc.explain("alexnet", "conv1").figures[0]
        >>> figure.figure, figure.formula, figure.numbers, figure.value
        ('output C', 'filters', '64', 64)

    Raises ValueError for a layer that is not there and an argument out of range, and what `load` raises.
    """
    report = analyze(graph_of(model, input, variant, args), batch, dtype, convention)
    return ExplanationResult(report, _row(report, layer))


def _row(report: Report, name: str) -> Row:
    names = {row.node.full_name: row for row in report.rows}
    if not isinstance(name, str) or name not in names:
        few = ", ".join(list(names)[:20]) + (", ..." if len(names) > 20 else "")
        hint = suggestion(str(name), names, f"there are {few}.")
        raise ArgumentError("layer", f"{report.graph.name} has no layer {name!r}; {hint}")
    return names[name]
