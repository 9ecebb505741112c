"""The figures that a spec expects or limits, compared with those of the report."""

from typing import Literal, NamedTuple

from netcalc.analysis import Report
from netcalc.diagnostics import Diagnostic
from netcalc.graph import MEMORY, Limit


class FigureCheck(NamedTuple):
    """A figure compared with the spec; `diagnostic` is the error where the check fails."""

    kind: Literal["expect", "budget"]
    figure: str
    got: int
    wanted: int
    batch: int
    diagnostic: Diagnostic | None

    @property
    def in_bytes(self) -> bool:
        """Whether the figure is a size in memory rather than a count."""
        return self.figure in MEMORY


def check_figures(report: Report, batch: int, as_written: bool) -> tuple[FigureCheck, ...]:
    """One check for each figure in the spec; memory is at `batch` unless the spec names another batch."""
    graph = report.graph
    expected = [_expected(report, figure, wanted) for figure, wanted in (graph.expect or {}).items()]
    limited = [_limited(report, figure, limit, batch) for figure, limit in graph.budget.items()]
    return (*(expected if as_written else ()), *limited)


def _expected(report: Report, figure: str, wanted: int) -> FigureCheck:
    got = getattr(report.totals, figure)
    problem = None
    if got != wanted:
        message = (
            f"{figure} is {got:,}, not {wanted:,}: {abs(got - wanted):,} {'more' if got > wanted else 'less'}"
        )
        span = report.graph.expected_at.get(figure)
        problem = Diagnostic("E802", message, span, help=f"write {figure}: {got} if that is meant")
    return FigureCheck("expect", figure, got, wanted, 1, problem)


def _limited(report: Report, figure: str, limit: Limit, batch: int) -> FigureCheck:
    if figure == "training_memory":
        batch = limit.batch or batch
        got = _training_memory(report, batch)
    else:
        batch = limit.batch or 1
        got = getattr(report.totals, figure) * batch
    problem = None
    if got > limit.most:
        of = f" at batch {batch}" if batch > 1 else ""
        message = f"{figure} is {got:,}{of}, {got - limit.most:,} over the budget of {limit.most:,}"
        problem = Diagnostic("E803", message, limit.span)
    return FigureCheck("budget", figure, got, limit.most, batch, problem)


def _training_memory(report: Report, batch: int) -> int:
    """Peak memory of a training step with SGD, in bytes."""
    from netcalc.analysis.memory import training_peak  # only a budget needs it

    return training_peak(report.graph, batch)
