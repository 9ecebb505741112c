"""The reference of design rules and error codes for other tools: tables of plain data, and JSON."""

from collections.abc import Iterable, Iterator
from typing import Any

from netcalc.errors import ErrorCode
from netcalc.lint import Rule
from netcalc.render.json import JsonRows, json_document
from netcalc.render.reference.rules import summary, theme_of
from netcalc.render.tabular import Table, TableColumn

_RULES = tuple(
    TableColumn(name, name, left=True) for name in ("code", "name", "severity", "theme", "meaning")
)
_ERROR = tuple(TableColumn(name, name, left=True) for name in ("code", "severity", "meaning", "cure"))


def rule_table(rules: Iterable[type[Rule]]) -> Table:
    """A row a rule, with its first paragraph."""
    rows = ((rule.code, rule.name, rule.severity, theme_of(rule), summary(rule)) for rule in rules)
    return Table(_RULES, rows)


def error_table(error: ErrorCode) -> Table:
    """An error code as a table of one row."""
    return Table(_ERROR, [(error.code, error.severity, error.meaning, error.cure)])


def json_chunks(rules: Iterable[type[Rule]], version: str) -> Iterator[str]:
    """A rule a line."""
    return json_document({"netcalc": version, "rules": JsonRows(map(_rule_dict, rules))})


def error_json_chunks(error: ErrorCode, version: str) -> Iterator[str]:
    """An error code; the example is a spec with a command, or a program."""
    return json_document(
        {
            "netcalc": version,
            "errors": JsonRows(
                [
                    {
                        "code": error.code,
                        "severity": error.severity,
                        "meaning": error.meaning,
                        "condition": error.condition or None,
                        "spec": error.spec or None,
                        "command": None if error.program else error.command,
                        "program": error.program or None,
                        "cure": error.cure,
                    }
                ]
            ),
        }
    )


def _rule_dict(rule: type[Rule]) -> dict[str, Any]:
    explained = rule.documentation()
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "theme": theme_of(rule),
        **explained._asdict(),
    }
