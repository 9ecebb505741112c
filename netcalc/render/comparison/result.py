"""Networks side by side, or what differs between two, as one result."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcalc import __version__
from netcalc.analysis.comparison import Comparison
from netcalc.render.result import Lines, Result

if TYPE_CHECKING:
    from netcalc.render.tabular import Table


@dataclass(frozen=True, repr=False)
class ComparisonResult(Result, Comparison):
    """Networks of one batch, element type and convention; the first is the baseline."""

    diff: bool = False
    """Whether the difference of two is shown, layer by layer."""

    def lines(self, width: int | None) -> Lines:
        from netcalc.render.comparison.difference import difference_lines
        from netcalc.render.comparison.text import comparison_lines

        return difference_lines(self, width) if self.diff else comparison_lines(self, width)

    def json_chunks(self) -> Iterable[str]:
        from netcalc.render.comparison.json import difference_json_chunks, json_chunks

        return difference_json_chunks(self, __version__) if self.diff else json_chunks(self, __version__)

    def table(self) -> "Table":
        from netcalc.render.comparison.tabular import comparison_table, difference_table

        return difference_table(self) if self.diff else comparison_table(self)
