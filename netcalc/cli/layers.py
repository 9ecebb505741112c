"""netcalc layers: the reference of layers."""

from typing import Annotated, Literal

import typer

from netcalc.cli.common import terminal, write
from netcalc.diagnostics import nearest
from netcalc.layers import LAYERS, kinds_by_name


def command(
    kind: Annotated[
        str, typer.Argument(metavar="[KIND]", help="A kind of layer; all of them unless given.")
    ] = "",
    format: Annotated[
        Literal["rich", "markdown"], typer.Option("--format", "-f", help="How the reference is written.")
    ] = "rich",
) -> None:
    """The layer reference: every kind, or one kind's options, ranges, defaults and rules."""
    from netcalc.render.reference.layers import index_lines, layer_lines, markdown_chunks

    if format == "markdown":
        write(markdown_chunks())
        return
    out = terminal()
    if not kind:
        out.write(index_lines(out.width))
        return
    if kind not in LAYERS:
        synonyms = kinds_by_name()
        match = synonyms.get(kind) or synonyms.get(nearest(kind, synonyms) or "")
        hint = f"did you mean {match}?" if match else "netcalc layers lists them."
        raise typer.BadParameter(f"there is no layer {kind!r}; {hint}", param_hint="KIND")
    out.write(layer_lines(LAYERS[kind], out.width))
