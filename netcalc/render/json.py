"""JSON documents: every format that writes JSON comes here.

A document's lists may be long, so they are written one member a line, as the members are made.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple


class JsonRows(NamedTuple):
    """A list that is written with one member a line."""

    members: Iterable[Any]


class JsonSection(NamedTuple):
    """An object that starts on a line of its own, with its rows indented below it."""

    members: Mapping[str, Any]


def json_text(value: object) -> str:
    """Plain data on one line."""
    return json.dumps(value)


def json_line(value: object) -> str:
    """Plain data as a line of a JSON Lines file."""
    return json.dumps(value) + "\n"


def indented_json(document: object) -> str:
    """A short document, with every member on a line of its own."""
    return json.dumps(document, indent=1) + "\n"


def json_document(members: Mapping[str, Any]) -> Iterator[str]:
    """The text of a document, piece by piece, so that a large one is never held whole.

    Its values are plain data, JsonRows, a JsonSection, or mappings that hold these.
    """
    yield from _object(members, "")
    yield "\n"


def _object(members: Mapping[str, Any], indent: str) -> Iterator[str]:
    yield "{"
    for number, (name, value) in enumerate(members.items()):
        space = f"\n {indent}" if isinstance(value, JsonSection) else " " * bool(number)
        yield f"{',' if number else ''}{space}{json.dumps(name)}: "
        yield from _value(value, indent)
    yield "}"


def _value(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, JsonSection):
        yield from _object(value.members, indent + " ")
    elif isinstance(value, JsonRows):
        yield from _rows(value.members, indent)
    elif isinstance(value, Mapping) and any(isinstance(part, JsonRows) for part in value.values()):
        yield from _object(value, indent)
    else:
        yield json.dumps(value)


def _rows(members: Iterable[Any], indent: str) -> Iterator[str]:
    yield "["
    for number, member in enumerate(members):
        yield f"{',' if number else ''}\n {indent}{json.dumps(member)}"
    yield f"\n{indent}]"
