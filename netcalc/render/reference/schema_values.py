"""The values that the schema of the spec language is composed of."""

import json

from netcalc.graph.limits import BYTE_UNITS, COUNT_UNITS, MEMORY
from netcalc.layers.initialisation import NUMBERED, SCHEMES, WITH_NUMBER
from netcalc.layers.options import Schema
from netcalc.lint import RULES
from netcalc.spec.scalars import MAX_INTEGER

WORD = r"[A-Za-z_\u0080-\uFFFF][0-9A-Za-z_\u0080-\uFFFF]*"
EXPRESSION = rf"^\$({WORD}|\([\s\S]*\))$"
BLOCK_HEAD = rf"^\s*{WORD}\s*(\([\s\S]*\)\s*)?$"


def rule_codes() -> Schema:
    """Codes of design rules: one, or a list of them."""
    code: Schema = {"enum": [*RULES]}
    return or_expression(code, {"type": "array", "items": or_expression(code)})


def schemes() -> Schema:
    """Initialisations: a word, or one with a number after a colon."""
    words = [name for name in SCHEMES if name not in NUMBERED]
    return or_expression({"enum": words}, {"type": "string", "pattern": f"^{WITH_NUMBER}$"})


def limit(figure: str) -> Schema:
    """A count with K, M, G or T, or bytes with KiB and so on, for a batch where one is named."""
    in_bytes = figure in MEMORY
    units = "|".join(BYTE_UNITS if in_bytes else COUNT_UNITS)
    batch = "(@batch[1-9][0-9]{0,8})?" if in_bytes else ""
    text = {"type": "string", "pattern": rf"^[0-9]{{1,15}}(\.[0-9]{{1,15}})? ?({units}){batch}$"}
    return or_expression({"type": "integer", "minimum": 0}, text)


def preprocessing() -> dict[str, Schema]:
    """The keys of `preprocess`."""
    number = {"type": "number"}
    numbers = or_expression({"anyOf": [number, {"type": "array", "items": number, "minItems": 1}]})
    return {
        "resize": described("pixels of the shorter side", or_expression({"type": "integer", "minimum": 1})),
        "mean": described("taken from each channel, of values from 0 to 1", numbers),
        "std": described("each channel is divided by", numbers),
    }


def values() -> dict[str, Schema]:
    """The definitions of plain values: expressions, texts, inputs, names of tensors."""
    size = or_expression({"type": "integer", "minimum": 1, "maximum": MAX_INTEGER})
    shape = {"anyOf": [*size["anyOf"], {"type": "array", "items": size, "minItems": 1}]}
    by_name = {"type": "object", "minProperties": 1, "additionalProperties": shape}
    plain = {"type": ["null", "boolean", "number"]}
    return {
        "expression": {
            "description": "$name or $(an expression)",
            "type": "string",
            "pattern": EXPRESSION,
        },
        "text": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^(?!\$)"}]},
        "value": or_expression(
            plain, {"type": "string", "pattern": r"^(?!\$)"}, {"type": "array", "items": ref("value")}
        ),
        "input": {"anyOf": [*shape["anyOf"], by_name]},
        "tensor": or_expression({"type": "string", "pattern": r"^[^$]"}),
        "tensors": tensors_read(1, None),
    }


def tensors_read(least: int, most: int | None) -> Schema:
    """One name where one is enough, or a list of as many as a layer reads."""
    several: Schema = {"type": "array", "items": ref("tensor"), "minItems": least}
    if most is not None:
        several["maxItems"] = most
    return several if least > 1 else {"anyOf": [ref("tensor"), several]}


def with_expressions(found: Schema) -> Schema:
    """A schema of plain values, with an expression wherever such a value may stand."""
    parts = [
        part | {"items": with_expressions(part["items"])} if "items" in part else part
        for part in found.get("anyOf", [found])
    ]
    return or_expression(*parts)


def or_expression(*parts: Schema) -> Schema:
    """One of these values, or an expression."""
    return {"anyOf": [*parts, ref("expression")]}


def record(properties: dict[str, Schema], at: str) -> Schema:
    """An object with these keys alone; `at` is the place of this schema."""
    return {"type": "object", **keys(properties, at)}


def keys(properties: dict[str, Schema], at: str) -> Schema:
    """These keys alone, with snippets of them; `at` is the place of this schema.

    yaml-language-server offers snippets inside `{}` on one line, but neither there nor after `{filters: 32, `
    the properties, unless the mapping has none. So it has them while a value is missing or a word unfinished,
    as a value or a key is typed, and else their patterns. Both say the same of what is valid.
    """
    patterns = {f"^{name}$": {"$ref": f"{at}/else/properties/{name}"} for name in properties}
    finished: dict[str, Schema] = {}  # a pattern for each key, since the server applies one to it
    for name, value in properties.items():
        words = [word for part in value.get("anyOf", [value]) for word in _words(part)]
        whole = {"pattern": rf"^({'|'.join(words)}|\$.*)$"} if words else {}
        finished[f"^{name}$"] = {"not": {"type": "null"}, **whole}
    snippets = [
        {"label": name, "description": value.get("description", ""), "body": {name: _snippet(value)}}
        for name, value in properties.items()
    ]
    return {
        "if": {"patternProperties": finished, "additionalProperties": False},
        "then": {"patternProperties": patterns, "defaultSnippets": snippets},
        "else": {"properties": properties, "additionalProperties": False},
    }


def _words(value: Schema) -> list[str]:
    return [word for word in (*value.get("enum", ()), value.get("const")) if isinstance(word, str)]


def _snippet(value: Schema) -> str:
    """What stands after a key: its default, selected to be typed over."""
    default = value.get("default")
    return f"${{1:{json.dumps(default).strip(chr(34))}}}" if isinstance(default, int | float | str) else "$1"


def mapping(value: Schema) -> Schema:
    """An object with any keys, whose values are all alike."""
    return {"type": "object", "additionalProperties": value}


def ref(definition: str) -> Schema:
    """A reference to one of the schema's definitions."""
    return {"$ref": f"#/$defs/{definition}"}


def described(doc: str, value: Schema) -> Schema:
    """A schema with its description in front."""
    return {"description": doc, **value}
