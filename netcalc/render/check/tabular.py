"""What a check found, as a table of plain data."""

from collections.abc import Iterator, Sequence

from netcalc.diagnostics import Diagnostic
from netcalc.lint import RULES
from netcalc.render.check.checked import Checked, place
from netcalc.render.diagnostics import counted
from netcalc.render.tabular import Table, TableColumn

_COLUMNS = (
    TableColumn("spec", "spec", left=True),
    TableColumn("line", "line"),
    TableColumn("column", "column"),
    TableColumn("severity", "severity", left=True),
    TableColumn("code", "code", left=True),
    TableColumn("rule", "rule", left=True),
    TableColumn("message", "message", left=True),
    TableColumn("help", "help", left=True),
)


def findings_table(checked: Sequence[Checked], notes: bool) -> Table:
    """A row for each finding and each mistake; notes where they are wanted."""
    sums = (f"{one.spec}: {counted(one.diagnostics) or 'nothing found'}" for one in checked)
    return Table(_COLUMNS, _rows(checked, notes), notes=[*sums])


def _rows(checked: Sequence[Checked], notes: bool) -> Iterator[tuple[object, ...]]:
    for one in checked:
        for diagnostic in one.diagnostics:
            if notes or diagnostic.severity != "note":
                yield _row(one.spec, diagnostic)


def _row(spec: str, found: Diagnostic) -> tuple[object, ...]:
    where = place(found.span)
    rule = RULES[found.code].name if found.code in RULES else None
    at = (where.get("line"), where.get("column"))
    return (spec, *at, found.severity, found.code, rule, found.message, found.help)
