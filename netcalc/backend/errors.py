"""How execution refuses: an ExecutionError with one diagnostic."""

from typing import NoReturn

from netcalc.diagnostics import Diagnostic, ExecutionError, Note, Span


def refuse(
    code: str, message: str, span: Span | None = None, notes: tuple[Note, ...] = (), help: str | None = None
) -> NoReturn:
    """Raise ExecutionError with one diagnostic."""
    raise ExecutionError([Diagnostic(code, message, span, notes, help)])
