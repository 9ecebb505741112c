"""The command `netcalc` itself: its subcommands, its exit codes, how errors are shown."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from importlib import import_module
from itertools import pairwise
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

from netcalc import __version__
from netcalc.diagnostics import ArgumentError, Diagnostic, NetcalcError, nearest

COMMANDS = (
    "table", "check", "compare", "memory", "roofline", "devices", "sweep", "explain", "run", "plan",
    "gradcheck", "init", "fold", "augment", "train", "evaluate", "predict", "curves", "list", "show",
    "layers", "rules", "schema",
)  # fmt: skip
"""The commands in the order of the help page; each is `command` in the module of its name."""


_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""The base class of usage errors, which typer does not export."""


class _LazyGroup(TyperGroup):
    """Loads a command's module when the command is called, so that start-up imports one alone."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        single = typer.Typer(add_completion=False)
        single.command(cmd_name)(_guarded(import_module(f"netcalc.cli.{cmd_name}").command))
        return typer.main.get_command(single)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        match = None if name in COMMANDS or name.startswith("-") else nearest(name, COMMANDS)
        if match:
            ctx.fail(f"No such command {name!r}; did you mean {match}?")
        _refuse_empty(args)
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _escaped():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _escaped():
            return super().invoke(ctx)


_ARGUMENTS = {"layer": "LAYER", "models": "SPEC", "mixed": "--pure"}
"""How the command line writes the functions' arguments that are no options of its."""


def _refuse_empty(args: list[str]) -> None:
    """Raise typer.BadParameter for an option whose value is empty, as from a variable that is not set."""
    for option, given in pairwise(args):
        name, equals, value = given.partition("=")
        if given == "" and option.startswith("-"):
            raise typer.BadParameter("its value is empty; leave the option out.", param_hint=option)
        if name.startswith("--") and equals and not value:
            raise typer.BadParameter("its value is empty; leave the option out.", param_hint=name)


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """A command that refuses to write over a file that it reads; a wrong argument is a wrong option."""

    @wraps(command)
    def guarded(**values: Any) -> None:
        if values.get("output"):
            from netcalc.cli.output import refuse_overwriting

            refuse_overwriting(values)
        try:
            command(**values)
        except ArgumentError as error:
            hint = _ARGUMENTS.get(error.argument, f"--{error.argument}")
            raise typer.BadParameter(str(error), param_hint=hint) from None

    return guarded


@contextmanager
def _escaped() -> Iterator[None]:
    """Escape control characters in usage errors: they may quote arguments and text of hostile specs.

    The options that a misspelt one may mean are asked about as everything else is.
    """
    try:
        yield
    except _UsageError as error:
        from netcalc.render.escaping import visible

        if possible := getattr(error, "possibilities", None):
            error.message += f"; did you mean {' or '.join(possible)}?"  # type: ignore[attr-defined]
            error.possibilities = None  # type: ignore[attr-defined]
        error.message = visible(error.message)  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    cls=_LazyGroup,
    name="netcalc",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"netcalc {__version__}")
        raise typer.Exit


@app.callback()
def _netcalc(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """What a neural network costs: output sizes, memory, parameters, FLOPs and receptive fields from YAML."""


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 is fine, 1 findings or figures that do not hold, 2 a spec or usage error, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except NetcalcError as error:
        return _show(error.diagnostics)
    except OSError as error:
        sys.stdout = _closed(sys.stdout)
        if isinstance(error, BrokenPipeError) or (sys.platform == "win32" and error.errno == errno.EINVAL):
            return 1  # the reader of the pipe has closed it
        return _show([Diagnostic("E103", f"the output cannot be written: {error.strerror or error}")])
    except MemoryError:
        return _show([Diagnostic("E109", "there is not enough memory for this spec")])
    return code


def _run(arguments: list[str] | None) -> int:
    try:
        app(args=arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    return 0


def _show(diagnostics: Any) -> int:
    from rich.console import Console

    from netcalc.render.diagnostics import diagnostic_lines
    from netcalc.render.terminal import Terminal

    try:
        terminal = Terminal(Console(stderr=True))
        terminal.write(diagnostic_lines(diagnostics, terminal.width))
        sys.stderr.flush()
    except OSError:  # stderr is closed too: the exit code alone reports it
        sys.stderr = _closed(sys.stderr)
    return 2


def _closed(stream: TextIO) -> TextIO:
    """The null device in place of a stream that cannot be written, and drops what that still holds."""
    with suppress(OSError):
        stream.close()
    return open(os.devnull, "w")
