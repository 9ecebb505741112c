"""The report as JSON: a contract that other tools read; one layer a line."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from netcalc.analysis import Field, Figures, Report, Row
from netcalc.graph import Graph
from netcalc.render.json import JsonRows, json_document
from netcalc.render.numbers import percentage
from netcalc.render.table.columns import owner_of
from netcalc.render.table.lines import TableView

if TYPE_CHECKING:
    from netcalc.render.table.tree import Module


def json_chunks(report: Report, version: str, view: TableView = TableView()) -> Iterator[str]:
    """The text of the JSON document, piece by piece, so that a large one is never held whole.

    A view with shares adds `percent` to each layer, a tree the key `tree`.
    """
    whole = report.whole or report.totals
    document = {
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
    if view.percent:
        shown = ({**layer_dict(row), "percent": percent_dict(row.figures, whole)} for row in report.rows)
        document["layers"] = JsonRows(shown)
    if view.tree:
        from netcalc.render.table.tree import module_tree

        modules = module_tree(report, view._replace(every_layer=True))
        document["tree"] = JsonRows(module_dict(module, whole) for module in modules)
    return json_document(document)


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


def module_dict(module: "Module", whole: Figures) -> dict[str, Any]:
    """A layer or a block of the tree, with what the block holds."""
    line = module.line
    return {
        "name": line.name,
        "kind": "block" if line.inside else line.row.node.layer.kind,
        "output_shape": line.output_shape,
        **figures_dict(line.figures),
        "percent": percent_dict(line.figures, whole),
        "shares": owner_of(line),
        "children": [module_dict(child, whole) for child in module.children],
    }


def percent_dict(figures: Figures, whole: Figures) -> dict[str, float | None]:
    """Shares of the whole network in percent, by the name of the figure."""
    return {
        name: percentage(part, total)
        for (name, part), total in zip(figures_dict(figures).items(), whole, strict=True)
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
