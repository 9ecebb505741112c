"""Where a result goes and in which format: standard output or a file, for a terminal or for other tools."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TextIO

import typer
from rich.console import Console

from netcalc.diagnostics import Diagnostic, SpecError
from netcalc.render.layout import Segment
from netcalc.render.terminal import Terminal

if TYPE_CHECKING:
    from netcalc.render.tabular import Table

ENDINGS = {".json": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex"}
"""The format that the ending of a file chooses."""

WRITERS = {
    "csv": "netcalc.render.csv:csv_chunks",
    "markdown": "netcalc.render.markdown:markdown_chunks",
    "latex": "netcalc.render.latex:latex_chunks",
}
"""What writes a table in a format."""

Lines = Callable[[int | None], Iterable[Sequence[Segment]]]
"""The lines for a terminal of a width, None where there is nothing to fit into."""


class Output(NamedTuple):
    """A format, and the file that it goes to; standard output where `path` is empty."""

    format: str
    path: str = ""

    def show(self, lines: Lines, json: Callable[[], Iterable[str]], table: "Callable[[], Table]") -> None:
        """Write a result in the format: lines for a terminal, a JSON document, or a table of plain data."""
        if self.format == "rich":
            self.write_lines(lines)
        elif self.format == "json":
            self.write(json())
        else:
            self.write(_table_chunks(self.format, table()))

    def write_lines(self, lines: Lines) -> None:
        """Write lines of styled segments; a file gets no colours."""
        if not self.path:
            shown = Terminal(Console())
            shown.write(lines(shown.width))
            return
        with _opened(self.path) as file:
            shown = Terminal(Console(file=file, force_terminal=False))
            shown.write(lines(shown.width))

    def write(self, chunks: Iterable[str]) -> None:
        """Write a document as it is."""
        if not self.path:
            _use_utf8(sys.stdout)
            for chunk in chunks:
                sys.stdout.write(chunk)
            return
        with _opened(self.path) as file:
            file.writelines(chunks)


def _use_utf8(stream: TextIO) -> None:
    """Write UTF-8 into a file or a pipe, which have the code page on Windows, unless that is asked for."""
    if hasattr(stream, "reconfigure") and not stream.isatty() and "PYTHONIOENCODING" not in os.environ:
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def output_of(
    format: str | None, path: str, endings: Mapping[str, str] = ENDINGS, default: str = "rich"
) -> Output:
    """The output that `--format` and `--output` ask for; `endings` are those that choose a format.

    Raises typer.BadParameter where they contradict each other, and SpecError where no file can be written.
    """
    path = "" if path == "-" else path
    ending = os.path.splitext(path)[1].lower()
    chosen = endings.get(ending)
    if chosen is None and ending in ENDINGS:
        known = ", ".join(dict.fromkeys([default, *endings.values()]))
        raise typer.BadParameter(f"{path} ends in {ending}, here it can be {known}.", param_hint="--output")
    if format and chosen not in (None, format):
        message = f"{path} ends in {ending}, which is {chosen}, and --format says {format}."
        raise typer.BadParameter(message, param_hint="--output")
    if "\0" in path:
        _refuse(path, "a path cannot hold a NUL character")
    if path and not os.path.isdir(os.path.dirname(path) or "."):
        _refuse(path, "there is no such folder")
    return Output(format or chosen or default, path)


def refuse_overwriting(values: Mapping[str, object]) -> None:
    """Raise typer.BadParameter where `output` is a file that another parameter of a command names.

    `fold` writes a spec beside its weights. A file may stand behind a name: `--input image=cat.png`.
    """
    output = str(values["output"])
    written = [output, *([f"{os.path.splitext(output)[0]}.yaml"] if "weights" in values else [])]
    given = [value for name, value in values.items() if name != "output"]
    texts = [text for value in given for text in (value if isinstance(value, list) else [value])]
    from netcalc.spec.reader import included_files

    read = [word for text in texts if isinstance(text, str) for word in (text, text.partition("=")[2])]
    for path in filter(os.path.isfile, written):
        files = [*filter(os.path.isfile, read)]
        files += [each for file in files for each in included_files(file) if os.path.isfile(each)]
        if any(os.path.samefile(path, file) for file in files):
            message = f"{path} is what the command reads; name another file."
            raise typer.BadParameter(message, param_hint="--output")


def _table_chunks(format: str, table: "Table") -> Iterable[str]:
    """A table as its writer writes it, which is loaded when it is called."""
    module, function = WRITERS[format].split(":")
    chunks: Iterable[str] = getattr(import_module(module), function)(table)
    return chunks


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    """A text file that appears under its name when all is written."""
    from netcalc.files import written_whole

    try:
        with (
            written_whole(path) as partial,
            partial.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
        ):
            yield file
    except OSError as error:
        _refuse(path, str(error.strerror or error).lower())


def _refuse(path: str, reason: str) -> NoReturn:
    raise SpecError([Diagnostic("E103", f"{path} cannot be written: {reason}")]) from None
