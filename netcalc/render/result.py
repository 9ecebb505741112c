"""What a command shows and a function of the API returns: one value with its three presentations."""

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from netcalc.render.escaping import visible
from netcalc.render.layout import Segment

if TYPE_CHECKING:
    import pandas
    from rich.console import Console, ConsoleOptions, RenderResult

    from netcalc.render.tabular import Table

WRITERS = {
    "csv": "netcalc.render.csv:csv_chunks",
    "markdown": "netcalc.render.markdown:markdown_chunks",
    "latex": "netcalc.render.latex:latex_chunks",
}
"""What writes a table in a format."""

Lines = Iterable[Sequence[Segment]]


class Result(ABC):
    """A result that prints itself, and converts to plain data and to the formats of the command line.

    Its JSON, CSV, Markdown and LaTeX are those of its command, character by character.
    """

    @abstractmethod
    def lines(self, width: int | None) -> Lines:
        """The lines for a terminal of a width, None where there is nothing to fit into."""

    @abstractmethod
    def json_chunks(self) -> Iterable[str]:
        """The JSON document, piece by piece."""

    @abstractmethod
    def table(self) -> "Table":
        """The table of plain data that Markdown and LaTeX show."""

    def exact_table(self) -> "Table":
        """The table of CSV and pandas, which may have more rows and columns than people read."""
        return self.table()

    def chunks(self, format: str) -> Iterable[str]:
        """The text in a format other than a terminal's: json, csv, markdown or latex."""
        if format == "json":
            return self.json_chunks()
        module, function = WRITERS[format].split(":")
        write: Callable[[Table], Iterable[str]] = getattr(import_module(module), function)
        return write(self.exact_table() if format == "csv" else self.table())

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of the command as Python values."""
        from json import loads  # imported here, as others below: a table in a terminal needs none

        document: dict[str, Any] = loads("".join(self.json_chunks()))
        return document

    def to_csv(self) -> str:
        """The table as comma-separated values, exact figures without units."""
        return "".join(self.chunks("csv"))

    def to_markdown(self) -> str:
        """The table for notes and pull requests."""
        return "".join(self.chunks("markdown"))

    def to_latex(self) -> str:
        """The table for papers, with the rules of the package booktabs."""
        return "".join(self.chunks("latex"))

    def to_pandas(self) -> "pandas.DataFrame":
        """The values of the CSV as a DataFrame; raises ImportError where pandas is not installed."""
        try:
            from pandas import DataFrame
        except ImportError:
            raise ImportError("a DataFrame needs pandas: pip install pandas", name="pandas") from None
        from netcalc.render.tabular import values

        table = self.exact_table()
        return DataFrame(list(map(values, table.rows)), columns=[column.name for column in table.columns])

    def __str__(self) -> str:
        text = io.StringIO()
        for segments in self.lines(None):
            text.write(visible("".join(part for part, _ in segments)).rstrip() + "\n")
        return text.getvalue().rstrip("\n")

    def __repr__(self) -> str:
        return str(self)

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from rich.text import Text

        for segments in self.lines(options.max_width):
            parts = ((visible(text), style) for text, style in segments)
            yield Text.assemble(*parts, no_wrap=True, overflow="ellipsis")

    def _repr_html_(self) -> str:
        from netcalc.render.html import html_chunks

        return "".join(html_chunks(self.table()))


class Shown(Result):
    """A result of functions, each called when its format is asked for."""

    def __init__(
        self,
        lines: Callable[[int | None], Lines],
        json_chunks: Callable[[], Iterable[str]],
        table: "Callable[[], Table]",
    ) -> None:
        self._lines = lines
        self._json_chunks = json_chunks
        self._table = table

    def lines(self, width: int | None) -> Lines:
        return self._lines(width)

    def json_chunks(self) -> Iterable[str]:
        return self._json_chunks()

    def table(self) -> "Table":
        return self._table()
