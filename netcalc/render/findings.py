"""What a check found, as JSON for other tools."""

import json
from typing import Any

from netcalc.diagnostics import Diagnostic, Span
from netcalc.lint import Verdict, Violation
from netcalc.render.check import Checked


def findings_json(checked: list[Checked], version: str) -> str:
    """The JSON document: a member of `specs` for each spec, with its findings and its figures."""
    document = {"netcalc": version, "specs": [_spec(one) for one in checked]}
    return json.dumps(document, indent=1) + "\n"


def place(span: Span | None) -> dict[str, Any]:
    """File, lines and columns from 1, the end exclusive; the file alone where its text is not at hand."""
    if span is None:
        return {}
    if not span.source.text:
        return {"file": span.source.name}
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(max(span.end, span.start + 1))
    ends = {"end_line": end_line, "end_column": end_column}
    return {"file": span.source.name, "line": line, "column": column, **ends}


def _spec(checked: Checked) -> dict[str, Any]:
    verdict = checked.verdict
    if verdict is None:
        return {"spec": checked.spec, "mistakes": list(map(_diagnostic, checked.mistakes))}
    return {
        "spec": checked.spec,
        "name": verdict.report.graph.name,
        **{f"{severity}s": verdict.count(severity) for severity in ("error", "warning", "note")},
        "silenced": verdict.silenced,
        "findings": list(map(_found, verdict.violations)),
        "settings": list(map(_diagnostic, verdict.settings)),
        "figures": _figures(verdict),
    }


def _found(found: Violation) -> dict[str, Any]:
    return {"rule": found.rule.name, "layers": found.layers, **_diagnostic(found.diagnostic)}


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "notes": [{"text": note.text, **place(note.span)} for note in diagnostic.notes],
        "help": diagnostic.help,
        **place(diagnostic.span),
    }


def _figures(verdict: Verdict) -> list[dict[str, Any]]:
    return [
        {
            "figure": claim.figure,
            "kind": claim.kind,
            "got": claim.got,
            "wanted": claim.wanted,
            "batch": claim.batch,
            "holds": claim.diagnostic is None,
        }
        for claim in verdict.figure_checks
    ]
