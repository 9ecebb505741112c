"""netcalc.analyze: what each layer of a network takes."""

from collections.abc import Mapping

from netcalc import analysis
from netcalc.analysis.conventions import ConventionName
from netcalc.api.load import Argument, Inputs, Model, graph_of
from netcalc.render.table.display import PrintedReport
from netcalc.tensor import DTypeName


def analyze(
    model: Model,
    /,
    batch: int = 1,
    dtype: DTypeName = "float32",
    convention: ConventionName = "lecture",
    *,
    input: Inputs | None = None,
    variant: str | None = None,
    args: Mapping[str, Argument] | None = None,
) -> PrintedReport:
    """Count what a network takes: outputs, memory, parameters, FLOPs and receptive fields.

    Counts and bytes are for the whole batch. `input`, `variant` and `args` are those of `load`.

        >>> report = netcalc.analyze("alexnet")
        >>> report.totals.params, report.totals.macs
        (61100840, 716767232)
        >>> report.rows[0].node.full_name, report.rows[0].output_shape
        ('conv1', (64, 56, 56))

    Raises ValueError for an argument out of range, and what `load` raises.
    """
    graph = graph_of(model, input, variant, args)
    return PrintedReport.of(analysis.analyze(graph, batch, dtype, convention))
