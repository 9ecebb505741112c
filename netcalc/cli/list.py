"""netcalc list: the bundled architectures."""

from typing import Annotated, Literal

import typer

from netcalc.analysis import Report, analyze
from netcalc.cli.common import load_graph, terminal, track


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]", help="Only those with a word in their name, family or source."),
    ] = None,
    sort: Annotated[
        Literal["name", "family", "year", "params", "macs"], typer.Option("--sort", "-s", help="The order.")
    ] = "family",
) -> None:
    """The bundled architectures: family, year, input, parameters and multiply-adds.

    netcalc list resnet --sort macs
    """
    from netcalc.render.reference.zoo import Architecture, zoo_lines
    from netcalc.spec import bundled_files, variant_names

    names = [(family, name) for family in bundled_files() for name in variant_names(family) or [family]]
    wanted = [word.lower() for word in words or ()]
    found = []
    for family, name in track(names, "counting"):
        report: Report = analyze(load_graph(name))
        text = f"{family} {name} {report.graph.name} {report.graph.citation}".lower()
        if all(word in text for word in wanted):
            found.append(Architecture(name, family, report))
    out = terminal()
    out.write(zoo_lines(found, sort, out.width))
