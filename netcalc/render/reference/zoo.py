"""The bundled architectures as a table."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netcalc.analysis import Report
from netcalc.render.layout import Heading, Segment, lay_out
from netcalc.render.table.words import input_shapes


class Architecture(NamedTuple):
    """One architecture: its name, the file it stands in, and what it takes."""

    name: str
    family: str
    report: Report


def zoo_lines(architectures: Sequence[Architecture], sort: str) -> Iterator[list[Segment]]:
    """One line an architecture, with exact parameters and multiply-adds."""
    if not architectures:
        yield [("no bundled architecture has these words", "")]
        return
    headings = [
        *(Heading("", text, left=True) for text in ("name", "family")),
        Heading("", "year"),
        Heading("", "input", left=True),
        *(Heading("", text) for text in ("layers", "params", "macs")),
    ]
    ordered = sorted(architectures, key=lambda architecture: _key(architecture, sort))
    rows = [_row(architecture) for architecture in ordered]
    layout = lay_out(headings, rows, None)
    yield from layout.heading_lines()
    for row in rows:
        yield layout.named_line(row)
    yield []
    yield [("netcalc table NAME shows one, netcalc show NAME its YAML; at batch 1, macs without bias", "dim")]


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
