"""What a check found, in a terminal: each finding at its place, and a summary of each network."""

from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len

from netcalc.diagnostics import Diagnostic
from netcalc.lint import FigureCheck, Verdict
from netcalc.render.check.result import CheckResult
from netcalc.render.diagnostics import MAX_SHOWN, block_lines, counted
from netcalc.render.escaping import visible
from netcalc.render.layout import Segment, hanging, paragraph
from netcalc.render.numbers import byte_size, exact, percent
from netcalc.render.result import Lines


def shown(verdict: Verdict, notes: bool) -> list[Diagnostic]:
    """The diagnostics that are shown: notes are advice and are left out unless they are wanted."""
    return [diagnostic for diagnostic in verdict.diagnostics if notes or diagnostic.severity != "note"]


def check_lines(
    found: CheckResult, width: int | None, mistakes: Callable[[Sequence[Diagnostic]], Lines]
) -> Iterator[Sequence[Segment]]:
    """The verdict of each network; `mistakes` makes the lines of one that has none."""
    for number, one in enumerate(found.checked):
        if one.verdict is None:
            yield from mistakes(one.mistakes)
        else:
            if number and shown(one.verdict, found.notes):
                yield []
            yield from verdict_lines(one.verdict, found.notes, width)


def verdict_lines(verdict: Verdict, notes: bool, width: int | None) -> Iterator[list[Segment]]:
    """The findings, notes among them where they are wanted, and the summary."""
    for diagnostic in shown(verdict, notes)[:MAX_SHOWN]:
        yield from block_lines(diagnostic, width)
        yield []
    name, summary = visible(verdict.report.graph.name), f": {_summary(verdict, notes)}"
    if width is None or cell_len(name + summary) <= width:
        yield [(name, "bold cyan"), (summary, "bold")]
    else:
        yield from paragraph(name + summary, "bold", width)
    for text in _claims(verdict.figure_checks):
        yield from hanging([("  ", "")], text, "dim", width, indent=4)


def _summary(verdict: Verdict, notes: bool) -> str:
    parts = [counted(verdict.diagnostics) or "nothing found"]
    if verdict.silenced:
        parts.append(f"{verdict.silenced} silenced")
    hidden = "" if notes or not verdict.count("note") else " (--notes shows the notes)"
    return ", ".join(parts) + hidden


def _claims(claims: tuple[FigureCheck, ...]) -> Iterator[str]:
    """The figures that hold; those that do not are findings."""
    expected = [claim for claim in claims if claim.kind == "expect" and claim.diagnostic is None]
    if expected:
        yield "as expected: " + ", ".join(f"{claim.figure} {_format(claim, claim.got)}" for claim in expected)
    for claim in claims:
        if claim.kind == "budget" and claim.diagnostic is None:
            batch = f" at batch {claim.batch}" if claim.batch > 1 else ""
            share = percent(claim.got, claim.wanted) or "0%"
            got, wanted = _format(claim, claim.got), _format(claim, claim.wanted)
            yield f"within budget: {claim.figure}{batch} {got} of {wanted} ({share})"


def _format(claim: FigureCheck, value: int) -> str:
    return byte_size(value) if claim.kind == "budget" and claim.in_bytes else exact(value)
