"""A report that prints itself, as a table of what is wanted of it."""

from collections.abc import Iterable
from dataclasses import FrozenInstanceError, fields
from typing import TYPE_CHECKING, NoReturn

from netcalc import __version__
from netcalc.analysis import Report
from netcalc.diagnostics import ArgumentError, flag, names, whole_number
from netcalc.render.result import Lines, Result
from netcalc.render.table.lines import TableView

if TYPE_CHECKING:
    from netcalc.render.tabular import Table


class PrintedReport(Result, Report):
    """A report that shows its table wherever Python shows a value."""

    view = TableView()
    """What of it is shown."""
    bars = False
    """Whether a terminal shows charts instead of the table."""
    unrestricted: Report | None = None
    """The report of all layers, where this one shows some kinds of them."""

    @classmethod
    def of(
        cls, report: Report, view: TableView = TableView(), bars: bool = False, only: tuple[str, ...] = ()
    ) -> "PrintedReport":
        """The same report, or some kinds of its layers, able to print itself."""
        shown = report.restricted(only) if only else report
        printed = cls(**{field.name: getattr(shown, field.name) for field in fields(Report)})
        vars(printed).update(view=view, bars=bars, unrestricted=report if only else None)
        return printed

    def shown(
        self,
        *,
        every_layer: bool = False,
        depth: int | None = None,
        columns: str | Iterable[str] = (),
        tree: bool = False,
        percent: bool = False,
        only: str | Iterable[str] = (),
        bars: bool = False,
    ) -> "PrintedReport":
        """The same report with another view, as the options of `netcalc table` choose it.

        What an earlier `shown` chose has no part in it.

            >>> report = netcalc.analyze("lenet5").shown(only=["linear"], columns=["layer", "params"])
            >>> print(report.to_csv(), end="")
            layer,params
            linear1,1225500
            linear2,5010

        Raises ValueError for a column or a kind of layers that does not exist.
        """
        every_layer, bars = flag("every_layer", every_layer), flag("bars", bars)
        depth = None if depth is None else whole_number("depth", depth, 1)
        wanted, kinds = names("columns", columns), names("only", only)
        view = TableView(every_layer, depth, wanted, flag("tree", tree), flag("percent", percent))
        idle = [
            name for name, is_given in (("tree", tree), ("percent", percent), ("columns", wanted)) if is_given
        ]
        if bars and idle:
            raise ArgumentError("bars", f"bars draws charts in place of a table; leave {idle[0]} out.")
        if view.wanted or kinds:
            from netcalc.render.table.wanted import require_columns, require_kinds

            require_columns(self, view)
            require_kinds(kinds)
        return PrintedReport.of(self.unrestricted or self, view, bars, kinds)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PrintedReport) or (self.view, self.bars) != (other.view, other.bars):
            return NotImplemented
        return super().__eq__(other)

    __hash__ = Report.__hash__

    def lines(self, width: int | None) -> Lines:
        from netcalc.render.table.text import table_lines

        return table_lines(self, self.view, bars=self.bars, width=width)

    def json_chunks(self) -> Iterable[str]:
        from netcalc.render.table.json import json_chunks

        return json_chunks(self, __version__, self.view)

    def table(self) -> "Table":
        from netcalc.render.table.tabular import shown_as_table

        return shown_as_table(self, self.view)

    def exact_table(self) -> "Table":
        from netcalc.render.table.tabular import exact_table

        return exact_table(self, self.view)

    def _repr_html_(self) -> str:
        from netcalc.render.table.html import html_chunks

        return "".join(html_chunks(self, self.view, self.bars))
