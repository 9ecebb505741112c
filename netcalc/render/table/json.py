"""The report as JSON: a contract that other tools read; one layer a line."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from netcalc.analysis import Field, Figures, Report, Row
from netcalc.graph import Graph
from netcalc.render.json import JsonRows, json_document


def json_chunks(report: Report, version: str) -> Iterator[str]:
    """The text of the JSON document, piece by piece, so that a large one is never held whole."""
    return json_document(
        {
            "netcalc": version,
            "name": report.graph.name,
            "batch": report.batch,
            "dtype": report.dtype.name,
            "convention": report.convention.name,
            "inputs": inputs_list(report.graph),
            "outputs": report.graph.outputs,
            "layers": JsonRows(map(layer_dict, report.rows)),
            "totals": figures_dict(report.totals),
        }
    )


def inputs_list(graph: Graph) -> list[dict[str, Any]]:
    """The network's inputs with their shapes."""
    return [{"name": given.name, "shape": given.type.shape} for given in graph.inputs]


def layer_dict(row: Row) -> dict[str, Any]:
    """One layer, as the contract has it."""
    node = row.node
    return {
        "name": node.full_name,
        "kind": node.layer.kind,
        "path": node.path,
        "inputs": node.inputs,
        "input_shapes": row.input_shapes,
        "input_axes": row.input_axes,
        "output_shape": row.output_shape,
        "output_axes": row.output_axes,
        "options": {name: _option(value) for name, value in node.layer.settings().items()},
        **figures_dict(row.figures),
        "receptive_field": field_dict(row.receptive_field),
        "used": row.used,
    }


def figures_dict(figures: Figures) -> dict[str, int]:
    """Figures by name."""
    return figures._asdict()


def field_dict(field: Field | None) -> dict[str, Any] | None:
    """A receptive field, axis by axis; null where each output depends on the whole input."""
    if field is None:
        return None
    return {
        "size": [axis.size for axis in field.axes],
        "stride": [_number(axis.stride) for axis in field.axes],
        "padding": [axis.padding for axis in field.axes],
        "aligned": field.aligned,
    }


def _number(stride: Fraction) -> int | float:
    return int(stride) if stride.denominator == 1 else float(stride)


def _option(value: Any) -> Any:
    """Padding that is alike on both sides of each axis is one number an axis."""
    if isinstance(value, tuple) and all(isinstance(side, tuple) and side[0] == side[1] for side in value):
        return [side[0] for side in value]
    return value
