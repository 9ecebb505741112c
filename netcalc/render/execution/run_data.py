"""A run for other tools: a table of plain data, and JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from netcalc.graph import Graph
from netcalc.render.execution.profile import backward_lines, trace_lines
from netcalc.render.execution.run import Scored, classes_lines, finite, outputs_lines, share, three_digits
from netcalc.render.json import JsonRows, json_document
from netcalc.render.layout import Segment, title_lines
from netcalc.render.table.json import inputs_list
from netcalc.render.tabular import Table, TableColumn
from netcalc.tensor import Shape, format_shape

if TYPE_CHECKING:
    from netcalc.backend.profiling import BackwardProfile, ForwardProfile, Moments


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.2f}"


_MOMENTS = (
    *(TableColumn(name, name, three_digits) for name in ("mean", "std", "min", "max")),
    TableColumn("zeros", "zeros", share),
    TableColumn("nan", "NaN"),
    TableColumn("inf", "Inf"),
)
_FORWARD = (
    TableColumn("output", "output", left=True),
    *_MOMENTS,
    TableColumn("forward_seconds", "forward ms", _milliseconds),
    TableColumn("operations", "operations (M)", lambda count: f"{count / 1e6:,.3g}"),
)
_BACKWARD = (
    TableColumn("backward_seconds", "backward ms", _milliseconds),
    TableColumn("verdict", "verdict", left=True),
)


def _norm(name: str, heading: str) -> TableColumn:
    return TableColumn(name, heading, three_digits, group="gradient norm")


class RunResult(NamedTuple):
    """What a run gave; `forward` and `backward` are None unless they were wanted."""

    graph: Graph
    batch: int
    dtype: str
    training: bool
    summary: str
    outputs: "Mapping[str, tuple[Shape, Moments]]"
    classes: Sequence[Sequence[Scored]] = ()
    """The best classes of each sample, where the output is scores of them."""
    samples: Sequence[str] = ()
    """The names of the samples."""
    forward: "Sequence[ForwardProfile] | None" = None
    backward: "Sequence[BackwardProfile] | None" = None


def run_lines(result: RunResult, width: int | None) -> Iterator[Sequence[Segment]]:
    """What went in, then the layers, the classes or the outputs, then the gradients."""
    name, *facts = result.summary.split("  ·  ")
    yield from title_lines((name, "bold"), facts, width)
    yield []
    if result.forward is not None:
        yield from trace_lines(result.forward, width)
    elif result.classes:
        yield from classes_lines(result.classes, result.samples, width)
    else:
        yield from outputs_lines(result.outputs, width)
    if result.backward is not None:
        yield []
        yield from backward_lines(result.backward, width)


def run_table(result: RunResult) -> Table:
    """A row a layer with --trace or --backward, a row a class where there are some, else a row an output."""
    columns: Sequence[TableColumn]
    rows: Sequence[Sequence[object]]
    if result.forward is not None or result.backward is not None:
        columns, rows = _layer_rows(result)
    elif result.classes:
        columns = (
            TableColumn("sample", "sample", left=True),
            TableColumn("class", "class", left=True),
            TableColumn("probability", "probability", lambda part: f"{100 * part:.2f}%"),
        )
        rows = [
            (sample, scored.name, scored.probability)
            for sample, best in zip(result.samples, result.classes, strict=True)
            for scored in best
        ]
    else:
        columns = (TableColumn("output", "output", left=True), TableColumn("shape", "shape"), *_MOMENTS)
        rows = [(name, format_shape(shape), *moments) for name, (shape, moments) in result.outputs.items()]
    return Table(columns, rows, title=result.graph.name, notes=[result.summary.replace("  ·  ", "; ")])


def json_chunks(result: RunResult, version: str) -> Iterator[str]:
    """The outputs' moments, the classes, and a layer a line; what is not finite is null."""
    classes = (
        {"sample": sample, "classes": [scored._asdict() for scored in best]}
        for sample, best in zip(result.samples, result.classes, strict=True)
    )
    outputs = (
        {"name": name, "shape": shape, **_moments(moments)}
        for name, (shape, moments) in result.outputs.items()
    )
    members: dict[str, Any] = {
        "netcalc": version,
        "name": result.graph.name,
        "batch": result.batch,
        "dtype": result.dtype,
        "training": result.training,
        "inputs": inputs_list(result.graph),
        "outputs": JsonRows(outputs),
    }
    if result.classes:
        members["classes"] = JsonRows(classes)
    if result.forward is not None:
        members["forward"] = JsonRows(map(_forward_dict, result.forward))
    if result.backward is not None:
        members["backward"] = JsonRows(map(_backward_dict, result.backward))
    return json_document(members)


def _layer_rows(result: RunResult) -> tuple[Sequence[TableColumn], Sequence[Sequence[object]]]:
    """The layers in the order in which they ran, with what was wanted of each."""
    forward = {row.node.full_name: row for row in result.forward or ()}
    backward = {row.node.full_name: row for row in result.backward or ()}
    columns = [TableColumn("layer", "layer", left=True)]
    cells: list[list[object]] = [[node.full_name] for node in result.graph.nodes]
    if result.forward is not None:
        columns += _FORWARD
        for row in cells:
            row += _forward_cells(forward[str(row[0])])
    if result.backward is not None:
        names = [*dict.fromkeys(name for profile in result.backward for name in profile.params)]
        columns += [_norm(name, name) for name in ("upstream", "downstream")]
        columns += [*(_norm(f"{name}_norm", name) for name in names), *_BACKWARD]
        for row in cells:
            row += _backward_cells(backward.get(str(row[0])), names)
    return columns, cells


def _forward_cells(row: "ForwardProfile") -> tuple[object, ...]:
    return (format_shape(row.shape), *row.moments, row.seconds, row.operations)


def _backward_cells(row: "BackwardProfile | None", names: Sequence[str]) -> tuple[object, ...]:
    """The norms of a layer's gradients, those of its parameters in a column for each name, and the rest."""
    if row is None:  # no gradient reached it
        return (None,) * (2 + len(names) + len(_BACKWARD))
    norms = (row.params.get(name) for name in names)
    return (row.upstream, row.downstream, *norms, row.seconds, row.verdict)


def _forward_dict(row: "ForwardProfile") -> dict[str, Any]:
    return {
        "layer": row.node.full_name,
        "output_shape": row.shape,
        **_moments(row.moments),
        "seconds": row.seconds,
        "operations": row.operations,
    }


def _backward_dict(row: "BackwardProfile") -> dict[str, Any]:
    return {
        "layer": row.node.full_name,
        "upstream_norm": finite(row.upstream),
        "downstream_norm": finite(row.downstream),
        "param_norms": {name: finite(norm) for name, norm in row.params.items()},
        "verdict": row.verdict or None,
        "seconds": row.seconds,
    }


def _moments(moments: "Moments") -> dict[str, float | None]:
    return {name: finite(value) for name, value in moments._asdict().items()}
