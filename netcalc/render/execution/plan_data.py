"""A plan of fast inference for other tools: a table of plain data, and JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from netcalc.render.execution.plan import conditions_in_words, memory_in_words
from netcalc.render.json import JsonRows, json_document
from netcalc.render.table.json import inputs_list
from netcalc.render.tabular import Table, TableColumn
from netcalc.tensor import format_shape

if TYPE_CHECKING:
    from netcalc.backend.plan.lowering import Program

_COLUMNS = (
    TableColumn("layer", "layer", left=True),
    TableColumn("fused", "with it, in place", left=True),
    TableColumn("output", "output", left=True),
    TableColumn("algorithm", "computed by", left=True),
    TableColumn("layout", "held", left=True),
)


def plan_table(program: "Program") -> Table:
    """A row an operation."""
    rows = (
        (
            found["layer"],
            " + ".join(found["fused"]),
            format_shape(found["output_shape"]),
            found["algorithm"],
            found["layout"],
        )
        for found in _operations(program)
    )
    notes = [conditions_in_words(program), *memory_in_words(program)]
    return Table(_COLUMNS, rows, title=program.graph.name, notes=notes)


def json_chunks(program: "Program", version: str) -> Iterator[str]:
    """An operation a line, and the memory in bytes; scratch memory is that of one worker."""
    sizes = program.memory()
    return json_document(
        {
            "netcalc": version,
            "name": program.graph.name,
            "batch": program.batch,
            "dtype": program.dtype.name,
            "workers": program.workers,
            "inputs": inputs_list(program.graph),
            "operations": JsonRows(_operations(program)),
            "memory": {
                "arena_bytes": sizes.arena,
                "scratch_bytes": sizes.scratch,
                "weight_bytes": sizes.weights,
            },
        }
    )


def _operations(program: "Program") -> Iterator[dict[str, Any]]:
    for operation in program.operations:
        stage = operation.stage
        tensor = program.tensors[stage.output]
        is_layer = stage.output in program.graph.types
        yield {
            "layer": stage.node.full_name if is_layer else stage.output,
            "kind": stage.node.layer.kind if is_layer else None,
            "fused": [node.layer.kind for node in stage.fused],
            "output_shape": tensor.shape,
            "algorithm": operation.name,
            "layout": "channels last" if tensor.channels_last else "as it is",
        }
