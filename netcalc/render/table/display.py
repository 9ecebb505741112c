"""A Report that prints itself: a table in a terminal, an HTML table in a notebook."""

import io
from typing import TYPE_CHECKING

from netcalc.analysis import Report
from netcalc.render.escaping import visible
from netcalc.render.table.text import table_lines

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


class PrintedReport(Report):
    """A report that shows its table wherever Python shows a value."""

    @classmethod
    def of(cls, report: Report) -> "PrintedReport":
        """The same report, able to print itself."""
        return cls(report.graph, report.rows, report.convention, report.batch, report.dtype, report.only)

    def __str__(self) -> str:
        text = io.StringIO()
        for segments in table_lines(self):
            text.write(visible("".join(part for part, _ in segments)).rstrip() + "\n")
        return text.getvalue().rstrip("\n")

    __repr__ = __str__

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from rich.text import Text

        for segments in table_lines(self, width=options.max_width):
            yield Text.assemble(
                *((visible(text), style) for text, style in segments), no_wrap=True, overflow="ellipsis"
            )

    def _repr_html_(self) -> str:
        from netcalc.render.table.html import html_chunks

        return "".join(html_chunks(self))
