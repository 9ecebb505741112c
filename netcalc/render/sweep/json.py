"""The rows of a sweep as JSON, and as the JSON lines of the file that it grows."""

from collections.abc import Iterable, Iterator

from netcalc.analysis.sweep import Sweep, VariantRow
from netcalc.render.json import JsonRows, json_document, json_text
from netcalc.render.json import json_line as line_of


def line_start(sweep: Sweep, index: int) -> str:
    """How the JSON line of a variant begins: with what tells it from all others."""
    return json_text({**sweep.conditions, **sweep.settings(index)})[:-1] + ", "


def json_line(sweep: Sweep, row: VariantRow) -> str:
    """A row with the conditions that it was counted under, as one line."""
    return line_of({**sweep.conditions, **row})


def json_chunks(sweep: Sweep, rows: Iterable[VariantRow], version: str) -> Iterator[str]:
    """What was counted how, and the rows, one a line."""
    conditions = {name: value for name, value in sweep.conditions.items() if name != "sweep"}
    varied = {axis.column: axis.values for axis in sweep.axes}
    head = {"netcalc": version, "name": sweep.name, **conditions, "varied": varied}
    return json_document({**head, "rows": JsonRows(rows)})
