"""The bundled architectures: for a terminal, as a table of plain data, and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from netcalc.analysis import Report
from netcalc.render.json import JsonRows, json_document
from netcalc.render.layout import Heading, Segment, paragraph
from netcalc.render.numbers import exact
from netcalc.render.table.json import inputs_list
from netcalc.render.table.words import input_shapes
from netcalc.render.tabular import Table, TableColumn
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
    rows = map(_row, _ordered(architectures, sort))
    names, families, years, inputs, layers, params, macs = zip(*rows, strict=True)
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


def zoo_table(architectures: Sequence[Architecture], sort: str) -> Table:
    """A row an architecture, with exact figures."""
    columns = (
        *(TableColumn(name, name, left=True) for name in ("name", "family")),
        TableColumn("year", "year"),
        TableColumn("input", "input", left=True),
        *(TableColumn(name, name, exact) for name in ("layers", "params", "macs")),
    )
    rows = (_values(architecture) for architecture in _ordered(architectures, sort))
    return Table(columns, rows, notes=["at batch 1; macs are multiply-adds, without bias"])


def json_chunks(architectures: Sequence[Architecture], sort: str, version: str) -> Iterator[str]:
    """An architecture a line; macs at batch 1."""
    listed = _ordered(architectures, sort)
    return json_document({"netcalc": version, "architectures": JsonRows(map(_architecture_dict, listed))})


def _architecture_dict(architecture: Architecture) -> dict[str, Any]:
    report = architecture.report
    return {
        "name": architecture.name,
        "family": architecture.family,
        "year": report.graph.year,
        "inputs": inputs_list(report.graph),
        "layers": len(report.rows),
        "params": report.totals.params,
        "macs": report.totals.macs,
    }


def _values(architecture: Architecture) -> tuple[object, ...]:
    report = architecture.report
    figures, shapes = report.totals, input_shapes(report.graph)
    known = (architecture.name, architecture.family, report.graph.year, shapes)
    return (*known, len(report.rows), figures.params, figures.macs)


def _ordered(architectures: Sequence[Architecture], sort: str) -> list[Architecture]:
    return sorted(architectures, key=lambda architecture: _key(architecture, sort))


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
