"""What a check found, as SARIF 2.1.0, which code hosts and editors show beside the text.

Format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from netcalc.diagnostics import Diagnostic, Span
from netcalc.lint import RULES, Rule
from netcalc.render.check.checked import Checked, place
from netcalc.render.json import indented_json


def sarif_text(checked: Sequence[Checked], version: str) -> str:
    """The SARIF log: one run, all rules, a result for each finding and each mistake."""
    driver = {"name": "netcalc", "version": version, "rules": [_rule(rule) for rule in RULES.values()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic) for one in checked for diagnostic in one.diagnostics],
    }
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    log = {"$schema": schema, "version": "2.1.0", "runs": [run]}
    return indented_json(log)


def _rule(rule: type[Rule]) -> dict[str, Any]:
    explained = rule.documentation()
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": " ".join(explained.meaning.split("\n\n")[0].split())},
        "fullDescription": {"text": " ".join(explained.why.split())},
        "help": {"text": f"Instead of\n\n{explained.example}\nwrite\n\n{explained.fix}"},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    help = f"\n{diagnostic.help}" if diagnostic.help else ""
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": diagnostic.severity,
        "message": {
            "text": "\n".join([diagnostic.message, *(note.text for note in diagnostic.notes)]) + help
        },
    }
    if diagnostic.code in RULES:
        result["ruleIndex"] = [*RULES].index(diagnostic.code)
    if diagnostic.span is not None:
        result["locations"] = [{"physicalLocation": _location(diagnostic.span)}]
    related = [note for note in diagnostic.notes if note.span is not None]
    if related:
        result["relatedLocations"] = [
            {"physicalLocation": _location(note.span), "message": {"text": note.text}}
            for note in related
            if note.span is not None
        ]
    return result


def _location(span: Span) -> dict[str, Any]:
    found = place(span)
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(found["file"])}}
    if "line" in found:
        location["region"] = {
            "startLine": found["line"],
            "startColumn": found["column"],
            "endLine": found["end_line"],
            "endColumn": found["end_column"],
        }
    return location


def _uri(path: str) -> str:
    """A path, relative or not, as a URI; a path of Windows has backslashes, and may begin with a drive."""
    name = path.replace("\\", "/")
    if re.match("[A-Za-z]:/", name):
        return f"file:///{name[:2]}{quote(name[2:])}"
    return f"file://{quote(name)}" if name.startswith("/") else quote(name)
