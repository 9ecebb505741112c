"""What the commands share: their arguments, loading a graph, and the terminal they write to."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Literal, TypeVar

import typer
from rich.console import Console

from netcalc.analysis.conventions import ConventionName
from netcalc.api.load import Asked
from netcalc.diagnostics import Diagnostic, NetcalcError, Note, SpecError
from netcalc.graph import Graph
from netcalc.graph.header import read_setting_of, read_size_of
from netcalc.render.terminal import Terminal
from netcalc.spec import find_given, read_spec
from netcalc.spec.library import NamedSpec
from netcalc.tensor import DTypeName

Item = TypeVar("Item")

SpecArgument = Annotated[
    str, typer.Argument(metavar="SPEC", help="A YAML file, - for standard input, or a bundled architecture.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set one of the spec's args, as width=0.5; repeatable."),
]
InputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="SHAPE",
        help="Another input size: 3x224x224, 224 with the channels kept, or image=224.",
    ),
]
VariantOption = Annotated[
    str | None, typer.Option("--variant", metavar="NAME", help="One of the spec's variants.")
]
ConventionOption = Annotated[
    ConventionName,
    typer.Option(
        "--convention",
        help="What a FLOP is. lecture: a multiply-add, pooling K x K an output. "
        "macs: a multiply-add. flops: 2 a multiply-add and 1 for every other operation.",
    ),
]
DtypeOption = Annotated[
    DTypeName,
    typer.Option("--dtype", help="The element type that memory is counted in."),
]
Format = Literal["rich", "json", "csv", "markdown", "latex"]
FORMAT_FLAG = typer.Option(
    "--format", "-f", help="How it is written: rich, for a terminal, unless --output's ending says."
)
FormatOption = Annotated[Format | None, FORMAT_FLAG]
_WHOLE = "Write to this file, whole or not at all"
FileOption = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help=f"{_WHOLE}.")]
OutputOption = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="FILE", help=f"{_WHOLE}; .json, .csv, .md and .tex say the format."
    ),
]
FindingsOutputOption = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="FILE", help=f"{_WHOLE}; .json, .csv, .md, .tex and .sarif say the format."
    ),
]
BatchOption = Annotated[int, typer.Option("--batch", min=1, max=2**31 - 1, help="Samples counted together.")]


def load_graph(
    spec: str,
    settings: Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    variant: str | None = None,
) -> Graph:
    """The graph of a spec, with what the command line sets; a setting that nothing reads is refused."""
    return asked_of(spec, settings or (), inputs or (), variant).graph()


def asked_of(name: str, settings: Sequence[str], inputs: Sequence[str], variant: str | None) -> Asked:
    """Read a spec, its settings and its inputs' sizes; one number keeps the channels of an input."""
    return asked_about(find_given(name), settings, inputs, variant)


def asked_about(
    found: NamedSpec, settings: Sequence[str], inputs: Sequence[str], variant: str | None
) -> Asked:
    """As `asked_of`, for a spec that has been found."""
    source, named = found
    spec = read_spec(source, variant or named)
    chosen = [read_setting_of(spec, text) for text in settings]
    overrides = [read_size_of(spec, text, chosen) for text in inputs]
    _refuse_repeated([setting.name for setting in chosen], "--set")
    _refuse_repeated([override.name or "the input" for override in overrides], "--input")
    if overrides:
        from netcalc.analysis.input_sizes import with_channels

        overrides = with_channels(spec, chosen, overrides)
    return Asked(spec, chosen, overrides)


@contextmanager
def asked_of_each(spec: str) -> Iterator[None]:
    """Where an option that applies to every spec does not suit one, say in the message which that is."""
    try:
        yield
    except NetcalcError as error:
        options = "--set, --input and --variant"
        note = Note(f"asked of {spec}: {options} apply to every spec")
        raise SpecError(
            found._replace(notes=(*found.notes, note)) if _is_of_options(found) else found
            for found in error.diagnostics
        ) from None


def _is_of_options(found: Diagnostic) -> bool:
    is_unknown_variant = found.code == "E703"
    return is_unknown_variant or (found.span is not None and found.span.source.name in ("--set", "--input"))


def _refuse_repeated(names: Sequence[str], option: str) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise typer.BadParameter(f"{name} is given twice.", param_hint=option)


def refuse_second_standard_input(specs: Sequence[str]) -> None:
    """Raise typer.BadParameter where two of several specs are `-`."""
    if specs.count("-") > 1:
        raise typer.BadParameter("standard input can be read once.", param_hint="SPEC")


def terminal() -> Terminal:
    """Where results go."""
    return Terminal(Console())


def track(items: Iterable[Item], what: str, total: int | None = None, done: int = 0) -> Iterable[Item]:
    """Iterate with a progress bar on standard error, where that is a terminal.

    `total` is the number of items where `items` has no length; `done` of them are done already.
    """
    console = _progress_console()
    if console is None:
        return items
    from rich.progress import track as tracked

    return tracked(items, what, total, completed=done, console=console, transient=True)


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A progress bar with the time left, on standard error where that is a terminal.

    Yields a function that advances the bar by a part of `total`.
    """
    console = _progress_console()
    if console is None:
        yield lambda done: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


def _progress_console() -> Console | None:
    """Where progress is shown: a terminal that can take a finished bar away again."""
    console = Console(stderr=True)
    return console if console.is_terminal and not console.is_dumb_terminal else None


def print_error(text: str) -> None:
    """Write a line to standard error, with control characters (of file names) escaped."""
    from netcalc.render.escaping import visible

    typer.echo(visible(text), err=True)
