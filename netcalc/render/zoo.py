"""The bundled architectures as a table."""

from collections.abc import Iterator, Sequence

from netcalc.analysis import Report
from netcalc.render.layout import Heading, Segment, lay_out
from netcalc.render.numbers import shape


def zoo_lines(reports: Sequence[tuple[str, Report]]) -> Iterator[list[Segment]]:
    """One line an architecture: name, input, exact parameters and multiply-adds, source."""
    headings = [
        Heading("", "name", left=True),
        Heading("", "input", left=True),
        Heading("", "layers"),
        Heading("", "params"),
        Heading("", "macs"),
    ]
    rows = [
        (
            name,
            ", ".join(shape(given.type.shape) for given in report.graph.inputs),
            str(len(report.rows)),
            f"{report.totals.params:,}",
            f"{report.totals.macs:,}",
        )
        for name, report in reports
    ]
    layout = lay_out(headings, rows, None)
    yield from layout.heading_lines()
    for row in rows:
        yield layout.line([(row[0], "cyan"), *((text, "") for text in row[1:])])
    yield []
    yield [("netcalc table NAME shows one; counted at batch 1, without bias in the macs", "dim")]
