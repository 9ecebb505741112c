"""A comparison and a difference as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from netcalc.analysis import Figures, Report
from netcalc.analysis.comparison import Comparison, Measure, Member
from netcalc.analysis.difference import LayerDifference
from netcalc.render.comparison.ledger import difference_of
from netcalc.render.json import JsonRows, json_document
from netcalc.render.table.json import inputs_list


def json_chunks(comparison: Comparison, version: str) -> Iterator[str]:
    """What was counted how, and each network's measures with their ratios to the first's, one a line."""
    return json_document(_members(comparison, version))


def difference_json_chunks(comparison: Comparison, version: str) -> Iterator[str]:
    """The comparison's document, with every layer of both networks under `difference`, one a line."""
    found = difference_of(comparison)
    difference = {"layers": JsonRows(map(_step_dict, found.layers)), "cost": _cost_dict(found.cost)}
    return json_document({**_members(comparison, version), "difference": difference})


def _members(comparison: Comparison, version: str) -> dict[str, Any]:
    first = comparison.members[0].report
    networks = (_network_dict(member, first, comparison.measures) for member in comparison.members)
    return {
        "netcalc": version,
        "batch": first.batch,
        "dtype": first.dtype.name,
        "convention": first.convention.name,
        "networks": JsonRows(networks),
    }


def _network_dict(member: Member, first: Report, measures: Sequence[Measure]) -> dict[str, Any]:
    report = member.report
    return {
        "name": member.label,
        "inputs": inputs_list(report.graph),
        "layers": len(report.rows),
        **{measure.name: measure.of(report) for measure in measures},
        "ratios": {measure.name: _quotient(measure.of(report), measure.of(first)) for measure in measures},
    }


def _quotient(value: int, base: int) -> float | None:
    return value / base if base else None


def _step_dict(step: LayerDifference) -> dict[str, Any]:
    return {
        "status": step.status,
        "before": step.before.node.full_name if step.before else None,
        "after": step.after.node.full_name if step.after else None,
        "kind": step.row.node.layer.kind,
        "changes": {detail.what: [detail.before, detail.after] for detail in step.details},
        "cost": _cost_dict(step.cost),
    }


def _cost_dict(cost: Figures) -> dict[str, int]:
    """Figures by name, outputs without what works in place."""
    figures = cost._asdict()
    return {"held_output_bytes" if name == "output_bytes" else name: value for name, value in figures.items()}
