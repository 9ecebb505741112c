"""The result of a check as every format takes it."""

from typing import Any, NamedTuple

from netcalc.diagnostics import Diagnostic, Span
from netcalc.lint import Verdict


class Checked(NamedTuple):
    """A spec by the name it was given, with its verdict, or with the mistakes that keep it from one."""

    spec: str
    verdict: Verdict | None
    mistakes: tuple[Diagnostic, ...] = ()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that is wrong with it."""
        return self.mistakes if self.verdict is None else self.verdict.diagnostics


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
