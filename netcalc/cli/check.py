"""netcalc check: is the design sound, and has it the figures that it should have."""

from collections.abc import Collection, Sequence
from typing import Annotated, Literal

import typer

from netcalc import __version__
from netcalc.cli.common import (
    InputOption,
    SetOption,
    VariantOption,
    terminal,
    track,
    write,
)
from netcalc.diagnostics import NetcalcError
from netcalc.graph import elaborate
from netcalc.lint import RULES, Verdict, check, idle_settings, likely_rule
from netcalc.render.check.checked import Checked
from netcalc.spec import find_spec, read_input_override, read_setting, read_spec

Format = Literal["rich", "json", "sarif", "github"]


def command(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC...", help="YAML files, - or bundled architectures.")
    ],
    format: Annotated[
        Format,
        typer.Option("--format", "-f", help="How findings are written; json and sarif have the notes too."),
    ] = "rich",
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail the check as errors do.")] = False,
    notes: Annotated[bool, typer.Option("--notes", help="Show notes, which are advice.")] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore", metavar="CODES", help="Rules to leave out, as N101 or N101,N501; repeatable."
        ),
    ] = None,
    batch: Annotated[
        int, typer.Option("--batch", min=1, max=2**31 - 1, help="Samples in a step of training.")
    ] = 32,
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """Design rules, and the figures that a spec expects and limits; exit 1 where one does not hold.

    netcalc check my.yaml --notes
    netcalc check resnet18 vgg16 --ignore N502 --strict
    netcalc check my.yaml --format sarif > netcalc.sarif

    netcalc rules explains the rules. Expectations are compared where nothing is set from outside.
    """
    left_out = _codes(ignore or ())
    if specs.count("-") > 1:
        raise typer.BadParameter("standard input can be read once.", param_hint="SPEC")
    checked = []
    for spec in track(specs, "checking") if len(specs) > 1 else specs:
        try:
            checked.append(Checked(spec, _verdict(spec, set or (), input or (), variant, batch, left_out)))
        except NetcalcError as error:
            checked.append(Checked(spec, None, error.diagnostics))
    _write(checked, format, notes)
    raise typer.Exit(_exit_code(checked, strict))


def _verdict(
    name: str,
    set: Sequence[str],
    input: Sequence[str],
    variant: str | None,
    batch: int,
    ignore: Collection[str],
) -> Verdict:
    """What is to be said of a spec with what the command line sets."""
    source, named = find_spec(name)
    spec = read_spec(source, variant or named)
    settings, overrides = [*map(read_setting, set)], [*map(read_input_override, input)]
    graph = elaborate(spec, settings, overrides)
    verdict = check(graph, batch, ignore, as_written=not (set or input))
    return verdict._replace(settings=tuple(idle_settings(spec, settings, overrides, graph)))


def _codes(ignore: Sequence[str]) -> set[str]:
    codes = {code.strip() for listed in ignore for code in listed.split(",")}
    for code in codes:
        if code not in RULES:
            message = f"there is no rule {code!r}; {likely_rule(code)}"
            raise typer.BadParameter(message, param_hint="--ignore")
    return codes


def _write(checked: list[Checked], format: Format, notes: bool) -> None:
    if format == "json":
        from netcalc.render.check.json import findings_json

        write([findings_json(checked, __version__)])
    elif format == "sarif":
        from netcalc.render.check.sarif import sarif_text

        write([sarif_text(checked, __version__)])
    elif format == "github":
        from netcalc.render.check.github import annotations

        write(annotations(checked, notes))
    else:
        _print(checked, notes)


def _print(checked: list[Checked], notes: bool) -> None:
    """Verdicts to standard output, mistakes to standard error."""
    from rich.console import Console

    from netcalc.render.check.text import shown, verdict_lines
    from netcalc.render.diagnostics import diagnostic_lines
    from netcalc.render.terminal import Terminal

    out = terminal()
    for number, one in enumerate(checked):
        if one.verdict is None:
            err = Terminal(Console(stderr=True))
            err.write(diagnostic_lines(one.mistakes, err.width))
        else:
            out.write([[]] if number and shown(one.verdict, notes) else [])
            out.write(verdict_lines(one.verdict, notes, out.width))


def _exit_code(checked: list[Checked], strict: bool) -> int:
    """2 for a mistake in a spec, 1 for an error, and for a warning where that is strict."""
    if any(one.verdict is None for one in checked):
        return 2
    failing = {"error", "warning"} if strict else {"error"}
    return int(any(found.severity in failing for one in checked for found in one.diagnostics))
