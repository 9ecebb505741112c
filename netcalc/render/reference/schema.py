"""The spec language as a JSON Schema (draft 2020-12), made from the declarations of layers and options.

Where a spec has blocks of its own, or includes them, any word may be a kind: items come in two
definitions, `layers` and `layersWithBlocks`, and the root chooses. A block that takes the name of a
kind is held to that kind's options.
"""

from typing import Any

from netcalc.graph.constructs import CONSTRUCTS
from netcalc.graph.rows import MAX_LAYERS
from netcalc.layers import LAYERS, Layer
from netcalc.layers.options import Option, Schema
from netcalc.render.json import indented_json
from netcalc.render.reference.layers import summary
from netcalc.render.reference.schema_nearest import nearest_kinds
from netcalc.render.reference.schema_values import (
    BLOCK_HEAD,
    EXPRESSION,
    WORD,
    described,
    keys,
    limit,
    mapping,
    or_expression,
    preprocessing,
    record,
    ref,
    rule_codes,
    schemes,
    tensors_read,
    values,
    with_expressions,
)
from netcalc.spec.expressions import RESERVED
from netcalc.spec.items import LAYER_NAME
from netcalc.spec.reader import BUDGETS, EXPECTATIONS, OF_VARIANTS, YEARS

_PLAIN, _LOOSE = "layers", "layersWithBlocks"


def schema_text() -> str:
    """The schema as a JSON document."""
    return indented_json(schema())


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
            **values(),
            **{key: described(doc, value) for key, (doc, value) in general_keys().items()},
            "blockOptions": _block_options(),
            **_words(),
            **nearest_kinds([*LAYERS, *CONSTRUCTS]),
            **{f"layer.{kind}": _layer(layer, f"layer.{kind}") for kind, layer in LAYERS.items()},
            **_items(_PLAIN),
            **_items(_LOOSE),
        },
    }


def general_keys() -> dict[str, tuple[str, Schema]]:
    """The keys that go with every item: their meaning and their values."""
    lists = or_expression({"type": "array", "items": ref("value")})
    name = {"type": "string", "pattern": f"^{LAYER_NAME}$"}
    repeat = {"type": "integer", "minimum": 0, "maximum": MAX_LAYERS}
    return {
        "name": ("what the layer is called", or_expression(name, {"type": "null"})),
        "from": ("what it reads, by name; the layer above unless given", tensors_read(1, None)),
        "share": ("the layer, block or branches whose parameters and options it uses", ref("tensor")),
        "repeat": ("how many times it is stacked; index counts them", or_expression(repeat)),
        "each": (
            "once for each row of equally long lists: {filters: [64, 128], stride: [1, 2]}",
            {"type": "object", "minProperties": 1, "additionalProperties": lists},
        ),
        "trainable": (
            "false freezes its parameters and running statistics, and those of all in it",
            or_expression({"type": "boolean"}),
        ),
        "init": ("how its parameters begin, and those of all in it: he, normal:0.02", schemes()),
        "when": ("whether it is there", or_expression({"type": "boolean"})),
        "ignore": ("the design rules that are silenced for it and all in it", rule_codes()),
    }


def _top_level() -> dict[str, Schema]:
    names = {"propertyNames": {"pattern": f"^{WORD}$", "not": {"enum": sorted(RESERVED)}}}
    by_name = mapping(ref("value"))
    expected = {name: or_expression({"type": "integer", "minimum": 0}) for name in EXPECTATIONS}
    file = {"type": "string", "pattern": r"^[^$/]"}
    listed = {
        "name": ("the network's name; the file's unless given", ref("text")),
        "source": ("the paper it comes from, or what else it follows", ref("text")),
        "year": ("when it was published", {"type": "integer", "minimum": YEARS[0], "maximum": YEARS[1]}),
        "input": ("the input's sizes without the batch: [3, 224, 224]", ref("input")),
        "inputs": ("several inputs by name: {image: [3, 224, 224], tokens: [128]}", ref("input")),
        "preprocess": (
            "how pictures become inputs: {resize: 256, mean: [...], std: [...]}",
            record(preprocessing(), "#/properties/preprocess"),
        ),
        "args": ("the file's parameters with their defaults, used as $name", by_name | names),
        "variants": ("named sets of arguments, and what else differs", mapping(mapping(ref("value")))),
        "expect": ("figures that the network must have", record(expected, "#/properties/expect")),
        "budget": (
            "the most that figures may be: {params: 5M, training_memory: 8GiB@batch32}",
            record({name: limit(name) for name in BUDGETS}, "#/properties/budget"),
        ),
        "ignore": ("the design rules that are silenced", rule_codes()),
        "init": ("how parameters begin: he, normal:0.02; as PyTorch's unless given", schemes()),
        "include": (
            "files in this folder whose blocks are used here",
            {"anyOf": [file, {"type": "array", "items": file}]},
        ),
        "blocks": (
            "layers under a name, with arguments: basic(filters, stride=1)",
            {
                "type": "object",
                "propertyNames": {"pattern": BLOCK_HEAD},
                "additionalProperties": ref(_LOOSE),
            },
        ),
        "layers": ("the layers from the input on", {"type": "array", "minItems": 1}),
        "outputs": ("the layers whose outputs the network gives; the last one unless given", ref("tensors")),
    }
    top = {key: described(doc, value) for key, (doc, value) in listed.items()}
    top["variants"]["additionalProperties"]["properties"] = {name: top[name] for name in OF_VARIANTS}
    return top


def _layer(
    layer: type[Layer], name: str, more: dict[str, Schema] | None = None, needs: tuple[str, ...] = ()
) -> Schema:
    """The options of a kind, by the name of its definition.

    One that is required may come from `each` or `share`; `from` may not. `needs` are the keys of branches,
    which may come from `share`.
    """
    least, most = layer.arity
    general = {key: ref(key) for key in general_keys()} | {
        "from": described(general_keys()["from"][0], tensors_read(least, most))
    }
    options = {name: _option(option) for name, option in layer.options.items()}
    body: Schema = {
        "title": layer.kind,
        "description": summary(layer),
        "type": "object",
        "allOf": [keys({**(more or {}), **options, **general}, f"#/$defs/{name}/allOf/0")],
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
        body["allOf"].append({"if": {"type": "object"}, "else": {"anyOf": alone}})
    return body


def _option(option: Option[Any]) -> Schema:
    """What an option takes, with what the reference says of it."""
    lines = [option.doc, option.words] + ([f"PyTorch: {option.torch}"] if option.torch else [])
    found = described("\n\n".join(lines), with_expressions(option.schema()))
    if not option.required and option.default is not None:
        found["default"] = option.default
    return found


def _items(layers: str) -> dict[str, Schema]:
    """A list of items and its branching kinds, which hold lists of the same sort."""
    body = {"anyOf": [ref(layers), {"type": "null"}]}
    parallel = {"branches": {"type": "object", "minProperties": 1, "additionalProperties": body}}
    residual = {"main": body, "shortcut": body}
    kinds = {kind: ref(f"layer.{kind}") for kind in LAYERS}
    kinds |= {kind: ref(f"{layers}.{kind}") for kind in CONSTRUCTS}
    item: Schema = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": kinds,
        "patternProperties": {EXPRESSION: ref("blockOptions")},
    }
    named = {"pattern": f"^({'|'.join(kinds)})$"}
    expression = {"pattern": EXPRESSION}
    if layers == _LOOSE:
        item["additionalProperties"] = ref("blockOptions")
        item["propertyNames"] = {"anyOf": [{"pattern": f"^{WORD}$"}, expression]}
        other: Schema = {"pattern": f"^({WORD}|{EXPRESSION[1:-1]})$"}
    else:
        known = {"propertyNames": {"anyOf": [named, expression]}}
        item |= {"if": known, "else": ref("noKind")}
        other = {"if": expression, "else": ref("noWord")}
    word = {"type": "string", "if": named, "then": ref("word"), "else": other}
    offered = [ref("bareKind"), {}]  # where nothing is typed yet, editors look into anyOf alone
    return {
        layers: {
            "type": "array",
            "items": {"anyOf": offered, "if": {"type": "string"}, "then": word, "else": item},
        },
        f"{layers}.parallel": _layer(CONSTRUCTS["parallel"], f"{layers}.parallel", parallel, ("branches",)),
        f"{layers}.residual": _layer(CONSTRUCTS["residual"], f"{layers}.residual", residual, ("main",)),
    }


def _words() -> dict[str, Schema]:
    """The kinds that stand as a word alone: those which need no option and read one tensor."""
    bare = [
        {"const": layer.kind, "description": summary(layer)}
        for layer in LAYERS.values()
        if layer.arity[0] == 1 and not any(option.required for option in layer.options.values())
    ]
    message = "this kind does not stand alone: it needs options, or inputs by from"
    return {
        "bareKind": {"anyOf": bare},
        "word": {
            "if": {"pattern": f"^({'|'.join(kind['const'] for kind in bare)})$"},
            "then": ref("bareKind"),
            "else": {"type": "null", "errorMessage": message},
        },
    }


def _block_options() -> Schema:
    general = {key: ref(key) for key in general_keys()}
    return {
        "description": "the arguments of a block; a value alone where one argument is required",
        "if": {"type": "object"},
        "else": ref("value"),
        "properties": general,
        "additionalProperties": ref("value"),
    }


def _layers_are(definition: str) -> Schema:
    return {"properties": {"layers": ref(definition)}}
