"""The JSON writer: what it writes is what `json` reads, with one row a line."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from netcalc.render.json import JsonRows, JsonSection, indented_json, json_document, json_line


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({}, "{}\n"),
        ({"a": 1, "b": [1, 2]}, '{"a": 1, "b": [1, 2]}\n'),
        ({"rows": JsonRows([]), "end": None}, '{"rows": [\n], "end": null}\n'),
        ({"rows": JsonRows(iter([{"x": 1}, (2, 3)]))}, '{"rows": [\n {"x": 1},\n [2, 3]\n]}\n'),
        ({"in": {"rows": JsonRows([1]), "cost": 2}}, '{"in": {"rows": [\n 1\n], "cost": 2}}\n'),
        (
            {"a": 1, "in": JsonSection({"b": 2, "rows": JsonRows([3])})},
            '{"a": 1,\n "in": {"b": 2, "rows": [\n  3\n ]}}\n',
        ),
        ({"in": JsonSection({"b": 'é"'})}, '{\n "in": {"b": "\\u00e9\\""}}\n'),
    ],
)
def test_a_document(members: dict[str, Any], text: str) -> None:
    document = "".join(json_document(members))
    assert document == text
    assert json.loads(document).keys() == members.keys()


def test_rows_are_written_as_they_are_made() -> None:
    made: list[int] = []

    def rows() -> Iterator[int]:
        for number in range(3):
            made.append(number)
            yield number

    chunks = json_document({"rows": JsonRows(rows())})
    assert next(chunk for chunk in chunks if "0" in chunk)
    assert made == [0]


def test_short_forms() -> None:
    assert json_line({"a": (1, 2)}) == '{"a": [1, 2]}\n'
    assert indented_json({"a": []}) == '{\n "a": []\n}\n'
