"""netcalc check: is the design sound, and has it the figures that it should have."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from typing import Annotated, Literal

import typer

from netcalc import __version__
from netcalc.cli.common import (
    FORMAT_FLAG,
    Format,
    InputOption,
    OutputOption,
    SetOption,
    VariantOption,
    asked_of,
    asked_of_each,
    refuse_second_standard_input,
    track,
)
from netcalc.cli.output import ENDINGS, Output, output_of
from netcalc.diagnostics import NetcalcError
from netcalc.graph import elaborate
from netcalc.lint import RULES, Verdict, check, idle_settings, likely_rule
from netcalc.render.check.checked import Checked
from netcalc.render.layout import Segment

FindingsOption = Annotated[Literal[Format, "sarif", "github"] | None, FORMAT_FLAG]


def command(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC...", help="YAML files, - or bundled architectures.")
    ],
    format: FindingsOption = None,
    output: OutputOption = "",
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail the check as errors do.")] = False,
    notes: Annotated[
        bool, typer.Option("--notes", help="Show notes, which are advice; json and sarif always have them.")
    ] = False,
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
    netcalc check my.yaml -o netcalc.sarif

    netcalc rules explains the rules. Expectations are compared where nothing is set from outside.
    """
    to = output_of(format, output, {**ENDINGS, ".sarif": "sarif"})
    left_out = _codes(ignore or ())
    refuse_second_standard_input(specs)
    checked = []
    for spec in track(specs, "checking") if len(specs) > 1 else specs:
        try:
            with asked_of_each(spec) if len(specs) > 1 else nullcontext():
                checked.append(
                    Checked(spec, _verdict(spec, set or (), input or (), variant, batch, left_out))
                )
        except NetcalcError as error:
            checked.append(Checked(spec, None, error.diagnostics))
    _write(checked, to, notes)
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
    asked = asked_of(name, set, input, variant)
    graph = elaborate(*asked)
    verdict = check(graph, batch, ignore, as_written=not (set or input))
    return verdict._replace(settings=tuple(idle_settings(*asked, graph)))


def _codes(ignore: Sequence[str]) -> set[str]:
    codes = {code.strip() for listed in ignore for code in listed.split(",")}
    for code in codes:
        if code not in RULES:
            message = f"there is no rule {code!r}; {likely_rule(code)}"
            raise typer.BadParameter(message, param_hint="--ignore")
    return codes


def _write(checked: list[Checked], to: Output, notes: bool) -> None:
    """Write the findings; a terminal's go without the mistakes, which go to standard error."""
    from netcalc.render.check.json import findings_json
    from netcalc.render.check.tabular import findings_table

    if to.format == "sarif":
        from netcalc.render.check.sarif import sarif_text

        to.write([sarif_text(checked, __version__)])
        return
    if to.format == "github":
        from netcalc.render.check.github import annotations

        to.write(annotations(checked, notes))
        return
    to.show(
        lambda width: _lines(checked, notes, width),
        lambda: [findings_json(checked, __version__)],
        lambda: findings_table(checked, notes),
    )


def _lines(checked: list[Checked], notes: bool, width: int | None) -> Iterator[Sequence[Segment]]:
    """The verdicts; mistakes are written to standard error on the way."""
    from rich.console import Console

    from netcalc.render.check.text import shown, verdict_lines
    from netcalc.render.diagnostics import diagnostic_lines
    from netcalc.render.terminal import Terminal

    for number, one in enumerate(checked):
        if one.verdict is None:
            err = Terminal(Console(stderr=True))
            err.write(diagnostic_lines(one.mistakes, err.width))
        else:
            if number and shown(one.verdict, notes):
                yield []
            yield from verdict_lines(one.verdict, notes, width)


def _exit_code(checked: list[Checked], strict: bool) -> int:
    """2 for a mistake in a spec, 1 for an error, and for a warning where that is strict."""
    if any(one.verdict is None for one in checked):
        return 2
    failing = {"error", "warning"} if strict else {"error"}
    return int(any(found.severity in failing for one in checked for found in one.diagnostics))
