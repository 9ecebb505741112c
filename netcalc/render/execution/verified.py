"""A verification for other tools: a table of plain data, and JSON."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from netcalc.graph import Graph
from netcalc.render.execution.run import finite
from netcalc.render.json import JsonRows, json_document
from netcalc.render.numbers import byte_size, exact
from netcalc.render.tabular import Table, TableColumn
from netcalc.tensor import format_shape

if TYPE_CHECKING:
    from netcalc.analysis.memory import LayerMemory
    from netcalc.backend.verification import Verified

_COLUMNS = (
    TableColumn("layer", "layer", left=True),
    TableColumn("output", "output", group="executed"),
    TableColumn("params", "parameters", exact, group="executed"),
    TableColumn("macs", "multiply-adds", exact, group="executed"),
    TableColumn("counted_kept_bytes", "kept", byte_size, group="counted"),
    TableColumn("held_bytes", "held", byte_size, group="executed"),
    TableColumn("verdict", "verdict", left=True),
    TableColumn("problems", "problems", left=True),
)


class Verification(NamedTuple):
    """Each layer's execution, beside what training memory counts for it."""

    graph: Graph
    rows: "Sequence[Verified]"
    memory: "Sequence[LayerMemory]"


def verified_table(found: Verification) -> Table:
    """A row a layer."""
    rows = (
        (
            row.node.full_name,
            format_shape(row.shape),
            row.params,
            row.macs,
            counted.saved.per_sample,
            row.saved,
            "differs" if row.wrong else "as counted",
            "; ".join(row.wrong),
        )
        for row, counted in zip(found.rows, found.memory, strict=True)
    )
    looped, macs = sum(row.looped for row in found.rows), sum(row.macs for row in found.rows)
    note = f"{exact(looped)} of {exact(macs)} multiply-adds done and counted by a naive loop"
    return Table(_COLUMNS, rows, title=found.graph.name, notes=[note])


def json_chunks(found: Verification, version: str) -> Iterator[str]:
    """A layer a line; figures are for one sample."""
    rows = zip(found.rows, found.memory, strict=True)
    return json_document(
        {
            "netcalc": version,
            "name": found.graph.name,
            "layers": JsonRows(_layer_dict(row, counted) for row, counted in rows),
            "wrong": sum(bool(row.wrong) for row in found.rows),
        }
    )


def _layer_dict(row: "Verified", counted: "LayerMemory") -> dict[str, Any]:
    return {
        "name": row.node.full_name,
        "output_shape": row.shape,
        "params": row.params,
        "macs": row.macs,
        "looped_macs": row.looped,
        "counted_macs": row.counted_macs,
        "counted_kept_bytes": counted.saved.per_sample,
        "held_bytes": row.saved,
        "error": finite(row.error),
        "problems": row.wrong,
    }
