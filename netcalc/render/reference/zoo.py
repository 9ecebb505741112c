"""The bundled architectures as a table."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netcalc.analysis import Report
from netcalc.render.layout import Heading, Segment, paragraph
from netcalc.render.table.words import input_shapes
from netcalc.render.text_table import TextColumn, text_table


class Architecture(NamedTuple):
    """One architecture: its name, the file it stands in, and what it takes."""

    name: str
    family: str
    report: Report


def zoo_lines(architectures: Sequence[Architecture], sort: str, width: int | None) -> Iterator[list[Segment]]:
    """One line an architecture, with exact parameters and multiply-adds."""
    if not architectures:
        yield [("no bundled architecture has these words", "")]
        return
    ordered = sorted(architectures, key=lambda architecture: _key(architecture, sort))
    names, families, years, inputs, layers, params, macs = zip(*map(_row, ordered), strict=True)
    columns = [
        TextColumn(Heading("", "name", left=True), names, "cyan"),
        TextColumn(Heading("", "family", left=True), families, drop=2),
        TextColumn(Heading("", "year"), years, drop=4),
        TextColumn(Heading("", "input", left=True), inputs, drop=3),
        TextColumn(Heading("", "layers"), layers, drop=1),
        TextColumn(Heading("", "params"), params),
        TextColumn(Heading("", "macs"), macs),
    ]
    yield from text_table(columns, width, least_name=max(map(len, names)))
    yield []
    words = "netcalc table NAME shows one, netcalc show NAME its YAML; at batch 1, macs without bias"
    yield from paragraph(words, "dim", width)


def _row(architecture: Architecture) -> tuple[str, ...]:
    report = architecture.report
    year = report.graph.year
    figures = report.totals
    return (
        architecture.name,
        architecture.family,
        str(year) if year is not None else "",
        input_shapes(report.graph),
        f"{len(report.rows):,}",
        f"{figures.params:,}",
        f"{figures.macs:,}",
    )


def _key(architecture: Architecture, sort: str) -> tuple[object, ...]:
    figures = architecture.report.totals
    keys: dict[str, tuple[object, ...]] = {
        "name": (),
        "family": (architecture.family, figures.params),
        "year": (architecture.report.graph.year or 0,),
        "params": (figures.params,),
        "macs": (figures.macs,),
    }
    return (*keys[sort], architecture.name)
