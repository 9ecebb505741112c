"""A gradient check for other tools: a table of plain data, and JSON."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from netcalc.graph import Graph
from netcalc.render.execution.run import finite, three_digits
from netcalc.render.json import JsonRows, json_document
from netcalc.render.tabular import Table, TableColumn

if TYPE_CHECKING:
    from netcalc.backend.gradcheck import Check

_COLUMNS = (
    TableColumn("layer", "layer", left=True),
    TableColumn("kind", "kind", left=True),
    TableColumn("gradient_of", "gradient of", left=True),
    TableColumn("norm", "its norm", three_digits),
    TableColumn("error", "error", lambda error: f"{error:.1e}"),
    TableColumn("verdict", "verdict", left=True),
)


class GradientCheck(NamedTuple):
    """What was checked how, and what was found."""

    graph: Graph
    batch: int
    seed: int
    training: bool
    checks: "Sequence[Check]"


def gradient_table(found: GradientCheck) -> Table:
    """A row an input or parameter."""
    rows = (
        (check.node.full_name, check.node.layer.kind, check.array, check.norm, check.error, check.verdict)
        for check in found.checks
    )
    mode = "training" if found.training else "inference"
    notes = [
        "error: against finite differences in float64, relative to the norm; right below 1e-6",
        f"batch {found.batch}, as in {mode}, seed {found.seed}",
    ]
    return Table(_COLUMNS, rows, title=found.graph.name, notes=notes)


def json_chunks(found: GradientCheck, version: str) -> Iterator[str]:
    """A gradient a line; a norm or error that is not finite is null."""
    return json_document(
        {
            "netcalc": version,
            "name": found.graph.name,
            "batch": found.batch,
            "seed": found.seed,
            "training": found.training,
            "dtype": "float64",
            "gradients": JsonRows(map(_check_dict, found.checks)),
            "wrong": sum(check.verdict == "wrong" for check in found.checks),
        }
    )


def _check_dict(check: "Check") -> dict[str, Any]:
    return {
        "layer": check.node.full_name,
        "kind": check.node.layer.kind,
        "of": check.array,
        "norm": finite(check.norm),
        "error": finite(check.error),
        "verdict": check.verdict,
    }
