"""What the schema says of a name that is no kind of layer: one line with the nearest kind.

An editor cannot measure how near two words are, so each kind has a pattern: its names in other frameworks,
and its own name with one letter that is missing, more, wrong or exchanged with the next. A name that is no
kind is held against one kind after the other.
"""

import re

from netcalc.layers import kinds_by_name
from netcalc.layers.options import Schema
from netcalc.render.reference.schema_values import ref

_SHORTEST = 3
"""Letters of a kind from which on a wrong one is looked for."""
_UNKNOWN = "no kind of layer has this name; netcalc layers lists them"


def nearest_kinds(kinds: list[str]) -> dict[str, Schema]:
    """Definitions that refuse a word, `noWord`, and a mapping by its keys, `noKind`."""
    known = kinds_by_name()
    found: dict[str, Schema] = {}
    names = {kind: [name for name in known if known[name] == kind and name not in kinds] for kind in kinds}
    for form in ("noWord", "noKind"):
        for number, kind in enumerate(kinds):
            like, is_last = ref(f"like.{kind}"), number + 1 == len(kinds)
            found[form if number == 0 else f"{form}.{kind}"] = {
                "if": like if form == "noWord" else {"propertyNames": like},
                "then": _refused(form, f"no kind of layer has this name; did you mean {kind}?"),
                "else": _refused(form, _UNKNOWN) if is_last else ref(f"{form}.{kinds[number + 1]}"),
            }
    return found | {f"like.{kind}": {"pattern": _like(kind, names[kind])} for kind in kinds}


def _refused(form: str, message: str) -> Schema:
    """What no word, or no mapping with a key, is valid under."""
    none: Schema = {"type": "null"} if form == "noWord" else {"additionalProperties": False}
    return none | {"errorMessage": message}


def _like(kind: str, names: list[str]) -> str:
    places = range(len(kind)) if len(kind) >= _SHORTEST else ()
    near = [f"{kind[:place]}.{{0,2}}{kind[place + 1 :]}" for place in places]
    swapped = [kind[:place] + kind[place + 1] + kind[place] + kind[place + 2 :] for place in places[:-1]]
    return f"^({'|'.join([*map(re.escape, names), *near, *swapped])})$"
