"""netcalc check: is the design sound, and has it the figures that it should have."""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Annotated, Literal

import typer

from netcalc.api.check import checked_spec, rule_codes
from netcalc.cli.common import (
    FORMAT_FLAG,
    FindingsOutputOption,
    Format,
    InputOption,
    SetOption,
    VariantOption,
    asked_of,
    asked_of_each,
    refuse_second_standard_input,
    track,
)
from netcalc.cli.output import ENDINGS, output_of
from netcalc.diagnostics import Diagnostic
from netcalc.render.check.result import CheckResult
from netcalc.render.result import Lines

FindingsOption = Annotated[Literal[Format, "sarif", "github"] | None, FORMAT_FLAG]


def command(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC...", help="YAML files, - or bundled architectures.")
    ],
    format: FindingsOption = None,
    output: FindingsOutputOption = "",
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
    left_out = rule_codes(ignore or ())
    refuse_second_standard_input(specs)
    checked = []
    for spec in track(specs, "checking") if len(specs) > 1 else specs:
        asked = partial(asked_of, spec, set or (), input or (), variant)
        within = asked_of_each(spec) if len(specs) > 1 else nullcontext()
        checked.append(checked_spec(spec, asked, batch, left_out, within))
    found = CheckResult(tuple(checked), notes)
    if to.format == "rich":
        to.write_lines(lambda width: _lines(found, width))
    else:
        to.show(found)
    has_mistakes = any(one.verdict is None for one in checked)
    raise typer.Exit(2 if has_mistakes else int(found.failed(strict)))


def _lines(found: CheckResult, width: int | None) -> Lines:
    """The verdicts; mistakes are written to standard error on the way."""
    from rich.console import Console

    from netcalc.render.check.text import check_lines
    from netcalc.render.diagnostics import diagnostic_lines
    from netcalc.render.terminal import Terminal

    def on_standard_error(mistakes: Sequence[Diagnostic]) -> Lines:
        terminal = Terminal(Console(stderr=True))
        terminal.write(diagnostic_lines(mistakes, terminal.width))
        return ()

    return check_lines(found, width, on_standard_error)
