"""netcalc list: the bundled architectures."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from netcalc import __version__
from netcalc.analysis import Report, analyze
from netcalc.cli.common import FormatOption, OutputOption, load_graph, track
from netcalc.cli.output import output_of
from netcalc.spec import find_spec, read_spec


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
    named = [(family, name) for family, name in names if _has(family, name, wanted)]
    for family, name in track(named, "counting"):
        report: Report = analyze(load_graph(name))
        found.append(Architecture(name, family, report))
    to.show(
        lambda width: zoo_lines(found, sort, width),
        lambda: json_chunks(found, sort, __version__),
        lambda: zoo_table(found, sort),
    )


def _has(family: str, name: str, words: Sequence[str]) -> bool:
    """Whether an architecture has all the words in its name, family or source."""
    if not words:
        return True
    source, variant = find_spec(name)
    text = " ".join(f"{family} {name} {source.text}".lower().split())
    if not all(word in text for word in words):  # the spec need not be read
        return False
    spec = read_spec(source, variant)
    text = f"{family} {name} {spec.name} {spec.citation}".lower()
    return all(word in text for word in words)
