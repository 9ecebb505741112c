"""The reference of layers for other tools: tables of plain data, and JSON."""

from collections.abc import Iterable, Iterator
from typing import Any

from netcalc.layers import Layer
from netcalc.render.json import JsonRows, json_document
from netcalc.render.reference.layers import description, option_lines, short_form, summary
from netcalc.render.tabular import Table, TableColumn

_INDEX = tuple(TableColumn(name, name, left=True) for name in ("kind", "family", "meaning"))
_OPTIONS = (
    TableColumn("option", "option", left=True),
    TableColumn("values", "values", left=True),
    TableColumn("default", "default", left=True),
    TableColumn("meaning", "meaning", left=True),
    TableColumn("pytorch", "PyTorch", left=True),
)


def index_table(layers: Iterable[type[Layer]]) -> Table:
    """A row a kind, with its first sentence."""
    return Table(_INDEX, [(layer.kind, layer.family, summary(layer)) for layer in layers])


def option_table(layer: type[Layer]) -> Table:
    """A row an option of a kind, the required ones first."""
    rows = ((line.name, line.values, line.default, line.doc, line.torch) for line in option_lines(layer))
    return Table(_OPTIONS, rows, title=layer.kind, notes=[summary(layer)])


def json_chunks(layers: Iterable[type[Layer]], version: str) -> Iterator[str]:
    """A kind a line, with its options."""
    return json_document({"netcalc": version, "layers": JsonRows(map(_layer_dict, layers))})


def _layer_dict(layer: type[Layer]) -> dict[str, Any]:
    body, example = description(layer)
    return {
        "kind": layer.kind,
        "family": layer.family,
        "meaning": summary(layer),
        "description": body,
        "example": example,
        "short": short_form(layer),
        "options": [
            {
                "name": line.name,
                "values": line.values,
                "default": line.default,
                "meaning": line.doc,
                "pytorch": line.torch or None,
            }
            for line in option_lines(layer)
        ],
    }
