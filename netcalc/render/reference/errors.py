"""The reference of error codes: for a terminal and as Markdown."""

from collections.abc import Iterator

from netcalc.errors import SUBJECTS, ErrorCode
from netcalc.render.diagnostics import SEVERITY_COLOURS
from netcalc.render.layout import Segment, paragraph


def error_lines(error: ErrorCode, width: int | None) -> Iterator[list[Segment]]:
    """One error code: what it means, an example and its cure."""
    yield [(error.code, "bold cyan"), ("  ", ""), (error.severity, SEVERITY_COLOURS[error.severity])]
    yield []
    yield from paragraph(error.meaning, "", width)
    yield []
    yield from paragraph(f"example{_condition(error)}", "bold", width)
    if error.spec:
        yield from ([("  " + line, "")] for line in error.spec.splitlines())
        yield []
    call = error.program or f"$ {error.command}\n"
    yield from ([("  " + line, "")] for line in call.splitlines())
    yield []
    yield [("cure", "bold")]
    yield from paragraph(error.cure, "", width)


def markdown_chunks() -> Iterator[str]:
    """The whole reference as a Markdown page."""
    yield "# Error codes\n\n"
    yield "Made by `python docs/make_errors.py`; `netcalc rules E402` explains one code in the terminal.\n"
    yield "Codes that begin with N are [design rules](rules.md). Each example raises its code and no other: "
    yield "save the text as `example.yaml`, then run what stands below it.\n"
    for subject, errors in SUBJECTS.items():
        yield f"\n## {subject}\n"
        for error in errors:
            yield "\n"
            yield from markdown_error(error)


def markdown_error(error: ErrorCode) -> Iterator[str]:
    """The section of one error code."""
    severity = "" if error.severity == "error" else f" ({error.severity})"
    yield f"### {error.code}{severity}\n\n{error.meaning}\n"
    if error.condition:
        yield f"\nThe example holds where {error.condition}.\n"
    if error.spec:
        yield f"\n```yaml\n{error.spec}```\n"
    language, call = ("python", error.program) if error.program else ("sh", f"{error.command}\n")
    yield f"\n```{language}\n{call}```\n\nCure: {error.cure}\n"


def _condition(error: ErrorCode) -> str:
    return f", where {error.condition}" if error.condition else ""
