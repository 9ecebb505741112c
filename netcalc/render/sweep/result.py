"""The rows of a sweep as one result."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcalc import __version__
from netcalc.analysis.sweep import Sweep, VariantRow
from netcalc.render.result import Lines, Result, Shown

if TYPE_CHECKING:
    from netcalc.render.tabular import Table


@dataclass(frozen=True, repr=False)
class SweepResult(Result):
    """The rows that are shown of a sweep, and what chose them."""

    sweep: Sweep
    rows: tuple[VariantRow, ...]
    """The settings, figures and error of each variant that is shown, by column."""
    counted: int
    """How many variants were counted, shown or not."""
    failed: int
    """How many of them have an error in place of figures."""
    where: str = ""
    pareto: str = ""

    def lines(self, width: int | None) -> Lines:
        from netcalc.render.sweep.text import sweep_lines

        return sweep_lines(self, width)

    def json_chunks(self) -> Iterable[str]:
        return streamed(self.sweep, self.rows).json_chunks()

    def table(self) -> "Table":
        return streamed(self.sweep, self.rows).table()


def streamed(sweep: Sweep, rows: Iterable[VariantRow]) -> Result:
    """Rows that are written as they are counted, in any format but a terminal's, which needs all of them."""
    from netcalc.render.sweep.json import json_chunks
    from netcalc.render.sweep.tabular import sweep_table

    return Shown(
        lambda width: (),
        lambda: json_chunks(sweep, rows, __version__),
        lambda: sweep_table(sweep, rows),
    )
