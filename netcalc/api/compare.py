"""netcalc.compare: networks side by side, and what differs between two."""

from collections.abc import Mapping, Sequence

from netcalc.analysis import Report, analyze
from netcalc.analysis.comparison import compare as comparison_of
from netcalc.analysis.conventions import ConventionName
from netcalc.api.load import Argument, Inputs, Model, graph_of, name_of
from netcalc.diagnostics import ArgumentError, flag
from netcalc.render.comparison.result import ComparisonResult
from netcalc.tensor import DTypeName


def compare(
    *models: Model,
    diff: bool = False,
    batch: int = 1,
    dtype: DTypeName = "float32",
    convention: ConventionName = "lecture",
    input: Inputs | None = None,
    variant: str | None = None,
    args: Mapping[str, Argument] | None = None,
) -> ComparisonResult:
    """Totals of two networks or more side by side, and their ratios to the first.

    `diff` shows of two which layers came, went or changed, and what that costs. `input`, `variant` and
    `args` are those of `load`, and apply to every spec.

        >>> found = netcalc.compare("alexnet", "vgg16")
        >>> [member.report.totals.macs for member in found.members]
        [716767232, 15470264320]

    Raises ValueError for an argument out of range, and what `load` raises.
    """
    diff = flag("diff", diff)
    require_comparable(len(models), diff)
    graphs = [graph_of(model, input, variant, args) for model in models]
    reports = [analyze(graph, batch, dtype, convention) for graph in graphs]
    return compared(reports, [name_of(model) for model in models], diff)


def compared(reports: Sequence[Report], given: Sequence[str], diff: bool) -> ComparisonResult:
    """Reports side by side, under their own names or those that were given."""
    return ComparisonResult(comparison_of(reports, given).members, diff)


def require_comparable(count: int, diff: bool) -> None:
    """Raise ArgumentError for fewer than two networks, and for a difference of more."""
    if count < 2:
        here = "one" if count else "none"
        raise ArgumentError("models", f"a comparison needs two specs or more, here is {here}.")
    if diff and count != 2:
        raise ArgumentError("diff", f"a difference lies between two specs, here are {count}.")
