"""netcalc rules: the reference of design rules and error codes."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from netcalc import __version__
from netcalc.cli.common import FormatOption, OutputOption
from netcalc.cli.output import Output, output_of
from netcalc.diagnostics import nearest
from netcalc.lint import RULES, Rule, likely_rule
from netcalc.render.result import Shown

if TYPE_CHECKING:
    from netcalc.errors import ErrorCode


def command(
    code: Annotated[
        str, typer.Argument(metavar="[CODE]", help="The code of a rule or an error; all rules unless given.")
    ] = "",
    format: FormatOption = None,
    output: OutputOption = "",
) -> None:
    """The design rules of netcalc check: every rule, or what one means, why, an example and its fix.

    netcalc rules N301
    netcalc rules E402

    An error code is explained in the same way: what it means, an example and its cure.
    """
    from netcalc.errors import ERRORS

    to, own = output_of(format, output), code.upper()
    if own in ERRORS:
        _show_error(ERRORS[own], to)
    elif not code or own in RULES:
        _show_rules(RULES.get(own), to)
    elif match := re.fullmatch("E[0-9].*", own) and nearest(own, ERRORS):
        raise typer.BadParameter(f"there is no error {code!r}; did you mean {match}?", param_hint="CODE")
    else:
        raise typer.BadParameter(f"there is no rule {code!r}; {likely_rule(code)}", param_hint="CODE")


def _show_rules(rule: type[Rule] | None, to: Output) -> None:
    """One rule, or all of them."""
    from netcalc.render.reference.rule_data import json_chunks, rule_table
    from netcalc.render.reference.rules import index_lines, markdown_chunks, markdown_rule, rule_lines

    listed = RULES.values() if rule is None else [rule]
    if to.format == "markdown":
        to.write(markdown_chunks() if rule is None else [markdown_rule(rule)])
        return
    to.show(
        Shown(
            lambda width: index_lines(width) if rule is None else rule_lines(rule, width),
            lambda: json_chunks(listed, __version__),
            lambda: rule_table(listed),
        )
    )


def _show_error(error: "ErrorCode", to: Output) -> None:
    from netcalc.render.reference.errors import error_lines, markdown_error
    from netcalc.render.reference.rule_data import error_json_chunks, error_table

    if to.format == "markdown":
        to.write(markdown_error(error))
        return
    to.show(
        Shown(
            lambda width: error_lines(error, width),
            lambda: error_json_chunks(error, __version__),
            lambda: error_table(error),
        )
    )
