"""netcalc rules: the reference of design rules."""

from typing import Annotated, Literal

import typer

from netcalc.cli.common import terminal, write
from netcalc.lint import RULES, likely_rule


def command(
    code: Annotated[
        str, typer.Argument(metavar="[CODE]", help="A rule's code; all of them unless given.")
    ] = "",
    format: Annotated[
        Literal["rich", "markdown"], typer.Option("--format", "-f", help="How the reference is written.")
    ] = "rich",
) -> None:
    """The design rules of netcalc check: every rule, or what one means, why, an example and its fix.

    netcalc rules N301
    """
    from netcalc.render.reference.rules import index_lines, markdown_chunks, rule_lines

    if format == "markdown":
        write(markdown_chunks())
        return
    out = terminal()
    if not code:
        out.write(index_lines(out.width))
        return
    if code not in RULES:
        raise typer.BadParameter(f"there is no rule {code!r}; {likely_rule(code)}", param_hint="CODE")
    out.write(rule_lines(RULES[code], out.width))
