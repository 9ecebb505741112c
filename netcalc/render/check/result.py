"""What a check of one network or several found, as one result."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcalc import __version__
from netcalc.diagnostics import Diagnostic
from netcalc.render.check.checked import Checked
from netcalc.render.result import Lines, Result

if TYPE_CHECKING:
    from netcalc.render.tabular import Table


@dataclass(frozen=True, repr=False)
class CheckResult(Result):
    """Mistakes, findings of design rules, and figures that do not hold, of one network or several."""

    checked: tuple[Checked, ...]
    """Each network, with its verdict or the mistakes that keep it from one."""
    notes: bool = False
    """Whether notes, which are advice, are shown; JSON and SARIF always have them."""

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """All that was found, notes included."""
        return tuple(found for one in self.checked for found in one.diagnostics)

    @property
    def ok(self) -> bool:
        """Whether there is no error; `failed(strict=True)` asks for warnings too."""
        return not self.failed()

    def failed(self, strict: bool = False) -> bool:
        """Whether there is an error, or where that is strict a warning."""
        failing = {"error", "warning"} if strict else {"error"}
        return any(found.severity in failing for found in self.findings)

    def lines(self, width: int | None) -> Lines:
        from netcalc.render.check.text import check_lines
        from netcalc.render.diagnostics import diagnostic_lines

        return check_lines(self, width, lambda mistakes: diagnostic_lines(mistakes, width))

    def json_chunks(self) -> Iterable[str]:
        from netcalc.render.check.json import findings_json

        return [findings_json(self.checked, __version__)]

    def table(self) -> "Table":
        from netcalc.render.check.tabular import findings_table

        return findings_table(self.checked, self.notes)

    def chunks(self, format: str) -> Iterable[str]:
        if format == "sarif":
            from netcalc.render.check.sarif import sarif_text

            return [sarif_text(self.checked, __version__)]
        if format == "github":
            from netcalc.render.check.github import annotations

            return annotations(self.checked, self.notes)
        return super().chunks(format)

    def to_sarif(self) -> str:
        """A SARIF log, which code hosts and editors show beside the text."""
        return "".join(self.chunks("sarif"))
