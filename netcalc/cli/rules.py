"""netcalc rules: the reference of design rules and error codes."""

import re
from typing import Annotated, Literal

import typer

from netcalc.cli.common import terminal, write
from netcalc.diagnostics import nearest
from netcalc.lint import RULES, likely_rule


def command(
    code: Annotated[
        str, typer.Argument(metavar="[CODE]", help="The code of a rule or an error; all rules unless given.")
    ] = "",
    format: Annotated[
        Literal["rich", "markdown"], typer.Option("--format", "-f", help="How the reference is written.")
    ] = "rich",
) -> None:
    """The design rules of netcalc check: every rule, or what one means, why, an example and its fix.

    netcalc rules N301
    netcalc rules E402

    An error code is explained in the same way: what it means, an example and its cure.
    """
    from netcalc.errors import ERRORS
    from netcalc.render.reference.errors import error_lines
    from netcalc.render.reference.rules import index_lines, markdown_chunks, rule_lines

    if format == "markdown":
        write(markdown_chunks())
        return
    out = terminal()
    if not code:
        out.write(index_lines(out.width))
        return
    if code in ERRORS:
        out.write(error_lines(ERRORS[code], out.width))
    elif code in RULES:
        out.write(rule_lines(RULES[code], out.width))
    elif match := re.fullmatch("[eE][0-9].*", code) and nearest(code, ERRORS):
        raise typer.BadParameter(f"there is no error {code!r}; did you mean {match}?", param_hint="CODE")
    else:
        raise typer.BadParameter(f"there is no rule {code!r}; {likely_rule(code)}", param_hint="CODE")
