"""The spec language as a JSON Schema (draft 2020-12), made from the declarations of layers and options.

Where a spec has blocks of its own, or includes them, any word may be a kind: items come in two
definitions, `layers` and `layersWithBlocks`, and the root chooses. A block that takes the name of a
kind is held to that kind's options.
"""

import json
from typing import Any

from netcalc.graph.constructs import CONSTRUCTS
from netcalc.graph.limits import BYTE_UNITS, COUNT_UNITS, MEMORY
from netcalc.graph.rows import MAX_LAYERS
from netcalc.layers import LAYERS, Layer
from netcalc.layers.options import Option, Schema
from netcalc.lint import RULES
from netcalc.render.reference import summary
from netcalc.spec.expressions import RESERVED
from netcalc.spec.items import LAYER_NAME
from netcalc.spec.reader import BUDGETS, EXPECTATIONS, OF_VARIANTS, YEARS
from netcalc.spec.scalars import MAX_INTEGER

_WORD = r"[A-Za-z_\u0080-\uFFFF][0-9A-Za-z_\u0080-\uFFFF]*"
_EXPRESSION = rf"^\$({_WORD}|\([\s\S]*\))$"
_BLOCK_HEAD = rf"^\s*{_WORD}\s*(\([\s\S]*\)\s*)?$"
_PLAIN, _LOOSE = "layers", "layersWithBlocks"


def schema_text() -> str:
    """The schema as a JSON document."""
    return json.dumps(schema(), indent=1) + "\n"


def schema() -> Schema:
    """The schema as plain data."""
    has_blocks = {"anyOf": [{"required": ["blocks"]}, {"required": ["include"]}]}
    is_library = {"required": ["blocks"], "maxProperties": 1}
    has_input = {"oneOf": [{"required": ["input"]}, {"required": ["inputs"]}]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "netcalc spec",
        "description": "A neural network as netcalc reads it; a file that others include has blocks alone.",
        "type": "object",
        "properties": _top_level(),
        "additionalProperties": False,
        "allOf": [
            {"if": is_library, "else": {"required": ["layers"], **has_input}},
            {"if": has_blocks, "then": _layers_are(_LOOSE), "else": _layers_are(_PLAIN)},
        ],
        "$defs": {
            **_values(),
            **{key: _described(doc, value) for key, (doc, value) in general_keys().items()},
            "blockOptions": _block_options(),
            "word": _bare_kinds(),
            **{f"layer.{kind}": _layer(layer) for kind, layer in LAYERS.items()},
            **_items(_PLAIN),
            **_items(_LOOSE),
        },
    }


def general_keys() -> dict[str, tuple[str, Schema]]:
    """The keys that go with every item: their meaning and their values."""
    lists = _or_expression({"type": "array", "items": _ref("value")})
    name = {"type": "string", "pattern": f"^{LAYER_NAME}$"}
    repeat = {"type": "integer", "minimum": 0, "maximum": MAX_LAYERS}
    return {
        "name": ("what the layer is called", _or_expression(name, {"type": "null"})),
        "from": ("what it reads, by name; the layer above unless given", _from(1, None)),
        "share": ("the layer, block or branches whose parameters and options it uses", _ref("tensor")),
        "repeat": ("how many times it is stacked; index counts them", _or_expression(repeat)),
        "each": (
            "once for each row of equally long lists: {filters: [64, 128], stride: [1, 2]}",
            {"type": "object", "minProperties": 1, "additionalProperties": lists},
        ),
        "trainable": (
            "false freezes its parameters and those of all in it",
            _or_expression({"type": "boolean"}),
        ),
        "when": ("whether it is there", _or_expression({"type": "boolean"})),
        "ignore": ("the design rules that are silenced for it and all in it", _codes()),
    }


def _top_level() -> dict[str, Schema]:
    names = {"propertyNames": {"pattern": f"^{_WORD}$", "not": {"enum": sorted(RESERVED)}}}
    values = {"type": "object", "additionalProperties": _ref("value")}
    expected = {name: _or_expression({"type": "integer", "minimum": 0}) for name in EXPECTATIONS}
    file = {"type": "string", "pattern": r"^[^$/]"}
    listed = {
        "name": ("the network's name; the file's unless given", _ref("text")),
        "source": ("the paper it comes from, or what else it follows", _ref("text")),
        "year": ("when it was published", {"type": "integer", "minimum": YEARS[0], "maximum": YEARS[1]}),
        "input": ("the input's sizes without the batch: [3, 224, 224]", _ref("input")),
        "inputs": ("several inputs by name: {image: [3, 224, 224], tokens: [128]}", _ref("input")),
        "preprocess": (
            "how pictures become inputs: {resize: 256, mean: [...], std: [...]}",
            {"type": "object", "properties": _preprocessing(), "additionalProperties": False},
        ),
        "args": ("the file's parameters with their defaults, used as $name", values | names),
        "variants": (
            "named sets of arguments, and what else differs",
            {
                "type": "object",
                "additionalProperties": {"type": "object", "additionalProperties": _ref("value")},
            },
        ),
        "expect": (
            "figures that the network must have",
            {"type": "object", "properties": expected, "additionalProperties": False},
        ),
        "budget": (
            "the most that figures may be: {params: 5M, training_memory: 8GiB@batch32}",
            {
                "type": "object",
                "properties": {name: _limit(name) for name in BUDGETS},
                "additionalProperties": False,
            },
        ),
        "ignore": ("the design rules that are silenced", _codes()),
        "include": (
            "files in this folder whose blocks are used here",
            {"anyOf": [file, {"type": "array", "items": file}]},
        ),
        "blocks": (
            "layers under a name, with arguments: basic(filters, stride=1)",
            {
                "type": "object",
                "propertyNames": {"pattern": _BLOCK_HEAD},
                "additionalProperties": _ref(_LOOSE),
            },
        ),
        "layers": ("the layers from the input on", {"type": "array", "minItems": 1}),
        "outputs": ("the layers whose outputs the network gives; the last one unless given", _ref("tensors")),
    }
    top = {key: _described(doc, value) for key, (doc, value) in listed.items()}
    top["variants"]["additionalProperties"]["properties"] = {name: top[name] for name in OF_VARIANTS}
    return top


def _codes() -> Schema:
    """Codes of design rules: one, or a list of them."""
    code: Schema = {"enum": [*RULES]}
    return _or_expression(code, {"type": "array", "items": _or_expression(code)})


def _limit(figure: str) -> Schema:
    """A count with K, M, G or T, or bytes with KiB and so on, for a batch where one is named."""
    in_bytes = figure in MEMORY
    units = "|".join(BYTE_UNITS if in_bytes else COUNT_UNITS)
    batch = "(@batch[1-9][0-9]{0,8})?" if in_bytes else ""
    written = {"type": "string", "pattern": rf"^[0-9]{{1,15}}(\.[0-9]{{1,15}})? ?({units}){batch}$"}
    return _or_expression({"type": "integer", "minimum": 0}, written)


def _preprocessing() -> dict[str, Schema]:
    number = {"type": "number"}
    numbers = _or_expression({"anyOf": [number, {"type": "array", "items": number, "minItems": 1}]})
    return {
        "resize": _described("pixels of the shorter side", _or_expression({"type": "integer", "minimum": 1})),
        "mean": _described("taken from each channel, of values from 0 to 1", numbers),
        "std": _described("each channel is divided by", numbers),
    }


def _values() -> dict[str, Schema]:
    size = _or_expression({"type": "integer", "minimum": 1, "maximum": MAX_INTEGER})
    shape = {"anyOf": [*size["anyOf"], {"type": "array", "items": size, "minItems": 1}]}
    by_name = {"type": "object", "minProperties": 1, "additionalProperties": shape}
    plain = {"type": ["null", "boolean", "number"]}
    return {
        "expression": {
            "description": "$name or $(an expression)",
            "type": "string",
            "pattern": _EXPRESSION,
        },
        "text": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^(?!\$)"}]},
        "value": _or_expression(
            plain, {"type": "string", "pattern": r"^(?!\$)"}, {"type": "array", "items": _ref("value")}
        ),
        "input": {"anyOf": [*shape["anyOf"], by_name]},
        "tensor": _or_expression({"type": "string", "pattern": r"^[^$]"}),
        "tensors": _from(1, None),
    }


def _layer(layer: type[Layer], more: dict[str, Schema] | None = None, needs: tuple[str, ...] = ()) -> Schema:
    """The options of a kind. One that is required may come from `each` or `share`; `from` may not.

    `needs` are the keys of branches, which may come from `share`.
    """
    least, most = layer.arity
    general = {key: _ref(key) for key in general_keys()} | {
        "from": _described(general_keys()["from"][0], _from(least, most))
    }
    options = {name: _option(option) for name, option in layer.options.items()}
    body: Schema = {
        "title": layer.kind,
        "description": summary(layer),
        "type": "object",
        "properties": {**(more or {}), **options, **general},
        "additionalProperties": False,
    }
    required = [*needs, *(name for name, option in layer.options.items() if option.required)]
    if least > 1:
        body["required"] = ["from"]
    if required:
        given = [{"required": [key]} for key in (("share",) if needs else ("each", "share"))]
        body |= {"if": {"type": "object", "anyOf": given}, "else": {"required": required}}
    if not required and least == 1:
        body["type"] = ["object", "null"]
    if layer.main is not None:
        del body["type"]
        alone: list[Schema] = [options[layer.main], *([] if required else [{"type": "null"}])]
        body["allOf"] = [{"if": {"type": "object"}, "else": {"anyOf": alone}}]
    return body


def _option(option: Option[Any]) -> Schema:
    """What an option takes, with what the reference says of it."""
    lines = [option.doc, option.words] + ([f"PyTorch: {option.torch}"] if option.torch else [])
    found = _described("\n\n".join(lines), _with_expressions(option.schema()))
    if not option.required and option.default is not None:
        found["default"] = option.default
    return found


def _items(layers: str) -> dict[str, Schema]:
    """A list of items and its branching kinds, which hold lists of the same sort."""
    body = {"anyOf": [_ref(layers), {"type": "null"}]}
    parallel = {"branches": {"type": "object", "minProperties": 1, "additionalProperties": body}}
    residual = {"main": body, "shortcut": body}
    kinds = {kind: _ref(f"layer.{kind}") for kind in LAYERS}
    kinds |= {kind: _ref(f"{layers}.{kind}") for kind in CONSTRUCTS}
    words = [_ref("word"), _ref("expression")]
    item: Schema = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": kinds,
        "patternProperties": {_EXPRESSION: _ref("blockOptions")},
        "additionalProperties": False,
    }
    if layers == _LOOSE:
        item["additionalProperties"] = _ref("blockOptions")
        item["propertyNames"] = {"anyOf": [{"pattern": f"^{_WORD}$"}, {"pattern": _EXPRESSION}]}
        words.append({"type": "string", "pattern": f"^{_WORD}$", "not": {"enum": sorted(kinds)}})
    return {
        layers: {"type": "array", "items": {"anyOf": [*words, item]}},
        f"{layers}.parallel": _layer(CONSTRUCTS["parallel"], parallel, ("branches",)),
        f"{layers}.residual": _layer(CONSTRUCTS["residual"], residual, ("main",)),
    }


def _bare_kinds() -> Schema:
    """The kinds that stand as a word alone: those which need no option and read one tensor."""
    bare = (
        layer
        for layer in LAYERS.values()
        if layer.arity[0] == 1 and not any(option.required for option in layer.options.values())
    )
    return {"anyOf": [{"const": layer.kind, "description": summary(layer)} for layer in bare]}


def _block_options() -> Schema:
    general = {key: _ref(key) for key in general_keys()}
    return {
        "description": "the arguments of a block; a value alone where one argument is required",
        "if": {"type": "object"},
        "else": _ref("value"),
        "properties": general,
        "additionalProperties": _ref("value"),
    }


def _from(least: int, most: int | None) -> Schema:
    """One name where one is enough, or a list of as many as a layer reads."""
    several: Schema = {"type": "array", "items": _ref("tensor"), "minItems": least}
    if most is not None:
        several["maxItems"] = most
    return several if least > 1 else {"anyOf": [_ref("tensor"), several]}


def _with_expressions(found: Schema) -> Schema:
    """A schema of plain values, with an expression wherever such a value may stand."""
    parts = [
        part | {"items": _with_expressions(part["items"])} if "items" in part else part
        for part in found.get("anyOf", [found])
    ]
    return _or_expression(*parts)


def _or_expression(*parts: Schema) -> Schema:
    return {"anyOf": [*parts, _ref("expression")]}


def _layers_are(definition: str) -> Schema:
    return {"properties": {"layers": _ref(definition)}}


def _ref(definition: str) -> Schema:
    return {"$ref": f"#/$defs/{definition}"}


def _described(doc: str, value: Schema) -> Schema:
    return {"description": doc, **value}
