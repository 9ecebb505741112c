"""The mistakes in the text of a spec."""

from netcalc.diagnostics import Diagnostic, Problems, Source, Span, SpecError
from netcalc.spec.expressions import ExpressionFault

MAX_PROBLEMS = 300
"""Reading stops at this number of mistakes."""


class SpecProblems(Problems):
    """Collects the mistakes in a text; raises SpecError with all of them at MAX_PROBLEMS."""

    def add(self, problem: Diagnostic) -> None:
        super().add(problem)
        if len(self) >= MAX_PROBLEMS:
            self.raise_if_any(SpecError)


def one_character(source: Source, offset: int) -> tuple[int, int]:
    """One character at an offset, moved back to the last character where the text ends there."""
    start = max(min(offset, len(source.text.rstrip()) - 1), 0)
    return start, start + 1


def expression_problem(fault: ExpressionFault, code: str, span: Span, text: str) -> Diagnostic:
    """A fault inside an expression, placed in the scalar that holds it."""
    base = span.source.text.find(text, span.start, span.end) if text else -1
    if base >= 0:
        span = Span(span.source, base + fault.start, min(base + fault.end, span.end), span.via)
    return Diagnostic(code, fault.message, span, help=fault.help)
