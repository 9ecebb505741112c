"""The limits in `budget:`, and the design rules that `ignore:` silences."""

import re

from netcalc.diagnostics import Span, format_value
from netcalc.graph.evaluation import Environment, value_of
from netcalc.graph.model import Ignored, Limit
from netcalc.graph.problems import ElaborationProblems
from netcalc.spec import Evaluated, Spec, Unknown, Value, YamlSequence

COUNT_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BYTE_UNITS = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
MEMORY = ("output_bytes", "training_memory")
"""The figures in bytes, which follow the batch."""
_LIMIT = r"(?P<number>[0-9]{1,15}(\.[0-9]{1,15})?) ?(?P<unit>[A-Za-z]*)(@batch(?P<batch>[1-9][0-9]{0,8}))?"
"""How a limit with a unit is written."""


def budget(spec: Spec, names: Environment, problems: ElaborationProblems) -> dict[str, Limit]:
    """The limits in `budget:`: `params: 5M`, `training_memory: 8GiB@batch32`."""
    limits = {}
    for entry in spec.budget:
        value = value_of(entry.value, names, problems)
        if isinstance(value, Unknown):
            continue
        limit = _limit(entry.key, value, entry.value.span)
        if limit is None:
            example = _respelt(entry.key, value) or ("8GiB@batch32" if entry.key in MEMORY else "5M")
            units = ", ".join(filter(None, _units(entry.key)))
            message = (
                f"a limit of {entry.key} is a whole number, or one with {units}, not {format_value(value)}"
            )
            help = f"write {entry.key}: {example}"
            problems.report("E404", message, entry.value.span, help=help)
        else:
            limits[entry.key] = limit
    return limits


def ignored(value: Value, names: Environment, problems: ElaborationProblems) -> tuple[Ignored, ...]:
    """The codes in `ignore:`, one or a list of them; the check itself reports codes that no rule has."""
    found = []
    for part in value.items if isinstance(value, YamlSequence) else (value,):
        code = value_of(part, names, problems)
        if isinstance(code, str):
            found.append(Ignored(code, part.span))
        elif not isinstance(code, Unknown):
            message = f"ignore: has the codes of design rules, not {format_value(code)}"
            problems.report("E404", message, part.span, help="write ignore: [N101]")
    return tuple(found)


def _respelt(figure: str, value: Evaluated) -> str | None:
    """A limit whose unit is in the wrong case, as `1k`, with the right one, or without a batch it has not."""
    given = re.fullmatch(_LIMIT, value) if isinstance(value, str) else None
    unit = next((unit for unit in _units(figure) if given and unit.lower() == given["unit"].lower()), None)
    if given is None or unit is None:
        return None
    batch = given.string[given.end("unit") :] if figure in MEMORY else ""
    return given.string[: given.start("unit")] + unit + batch


def _units(figure: str) -> dict[str, int]:
    return BYTE_UNITS if figure in MEMORY else COUNT_UNITS


def _limit(figure: str, value: Evaluated, span: Span) -> Limit | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Limit(value, None, span)
    parts = re.fullmatch(_LIMIT, value) if isinstance(value, str) else None
    if parts is None or parts["unit"] not in _units(figure) or (parts["batch"] and figure not in MEMORY):
        return None
    from fractions import Fraction  # few specs have such a limit

    most = Fraction(parts["number"]) * _units(figure)[parts["unit"]]
    return Limit(int(most), int(parts["batch"]) if parts["batch"] else None, span)
