"""Where a result goes and in which format: standard output or a file, for a terminal or for other tools."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, NoReturn, TextIO

import typer
from rich.console import Console

from netcalc.diagnostics import Diagnostic, SpecError
from netcalc.render.result import Lines, Result
from netcalc.render.terminal import Terminal

ENDINGS = {".json": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex"}
"""The format that the ending of a file chooses."""


class Output(NamedTuple):
    """A format, and the file that it goes to; standard output where `path` is empty."""

    format: str
    path: str = ""

    def show(self, result: Result) -> None:
        """Write a result in the format: lines for a terminal, or a document."""
        if self.format == "rich":
            self.write_lines(result.lines)
        else:
            self.write(result.chunks(self.format))

    def write_lines(self, lines: Callable[[int | None], Lines]) -> None:
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
    stem, ending = os.path.splitext(output)
    written = [output, *([f"{stem}.yaml"] if "weights" in values and ending else [])]
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
