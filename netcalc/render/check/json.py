"""What a check found, as JSON for other tools."""

from collections.abc import Sequence
from typing import Any

from netcalc.diagnostics import Diagnostic
from netcalc.lint import Verdict, Violation
from netcalc.render.check.checked import Checked, place
from netcalc.render.json import indented_json


def findings_json(checked: Sequence[Checked], version: str) -> str:
    """The JSON document: a member of `specs` for each spec, with its findings and its figures."""
    document = {"netcalc": version, "specs": [_spec(one) for one in checked]}
    return indented_json(document)


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
