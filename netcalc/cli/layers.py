"""netcalc layers: the reference of layers."""

from typing import Annotated

import typer

from netcalc import __version__
from netcalc.cli.common import FormatOption, OutputOption
from netcalc.cli.output import output_of
from netcalc.diagnostics import nearest
from netcalc.layers import LAYERS, Layer, kinds_by_name
from netcalc.render.result import Shown


def command(
    kind: Annotated[
        str, typer.Argument(metavar="[KIND]", help="A kind of layer; all of them unless given.")
    ] = "",
    format: FormatOption = None,
    output: OutputOption = "",
) -> None:
    """The layer reference: every kind, or one kind's options, ranges, defaults and rules.

    netcalc layers conv
    netcalc layers --format markdown > layers.md
    """
    from netcalc.render.reference.layer_data import index_table, json_chunks, option_table
    from netcalc.render.reference.layers import index_lines, layer_lines, markdown_chunks, markdown_layer

    to = output_of(format, output)
    layer = _layer(kind) if kind else None
    if to.format == "markdown":
        to.write(markdown_chunks() if layer is None else ["".join(markdown_layer(layer)).lstrip("\n")])
        return
    to.show(
        Shown(
            lambda width: index_lines(width) if layer is None else layer_lines(layer, width),
            lambda: json_chunks(LAYERS.values() if layer is None else [layer], __version__),
            lambda: index_table(LAYERS.values()) if layer is None else option_table(layer),
        )
    )


def _layer(kind: str) -> type[Layer]:
    if kind not in LAYERS:
        synonyms = kinds_by_name()
        match = synonyms.get(kind) or synonyms.get(nearest(kind, synonyms) or "")
        hint = f"did you mean {match}?" if match else "netcalc layers lists them."
        raise typer.BadParameter(f"there is no layer {kind!r}; {hint}", param_hint="KIND")
    return LAYERS[kind]
