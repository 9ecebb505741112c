"""netcalc list: the bundled architectures."""

from typing import Annotated, Literal

import typer

from netcalc import __version__
from netcalc.analysis import analyze
from netcalc.cli.common import FormatOption, OutputOption, asked_of, track
from netcalc.cli.output import output_of
from netcalc.graph import elaborate
from netcalc.render.result import Shown


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]", help="Only those with a word in their name, family or source."),
    ] = None,
    sort: Annotated[
        Literal["name", "family", "year", "params", "macs"], typer.Option("--sort", "-s", help="The order.")
    ] = "family",
    format: FormatOption = None,
    output: OutputOption = "",
) -> None:
    """The bundled architectures: family, year, input, parameters and multiply-adds.

    netcalc list resnet --sort macs
    netcalc list -o zoo.csv
    """
    from netcalc.render.reference.zoo import Architecture, json_chunks, zoo_lines, zoo_table
    from netcalc.spec import bundled_files, variant_names

    to = output_of(format, output)
    names = [(family, name) for family in bundled_files() for name in variant_names(family) or [family]]
    wanted = [word.lower() for word in words or ()]
    found = []
    for family, name in track(names, "counting"):
        asked = asked_of(name, (), (), None)
        text = f"{family} {name} {asked.spec.name} {asked.spec.citation}".lower()
        if all(word in text for word in wanted):
            found.append(Architecture(name, family, analyze(elaborate(*asked))))
    to.show(
        Shown(
            lambda width: zoo_lines(found, sort, width),
            lambda: json_chunks(found, sort, __version__),
            lambda: zoo_table(found, sort),
        )
    )
