"""The mistakes in a network, and the limits on the work of finding them."""

from collections.abc import Iterable

from netcalc.diagnostics import Diagnostic, Note, Problems, Span

MAX_PROBLEMS = 100
"""Elaboration stops beyond this number of mistakes."""
MAX_WORK = 1_000_000
"""The most steps that evaluating a spec may take: parts of expressions, items of lists."""


class TooMuchError(Exception):
    """A limit is exceeded, which is reported; elaboration stops."""


class ElaborationProblems(Problems):
    """Collects the mistakes in a network, and counts the work of evaluating it."""

    def __init__(self, found: Iterable[Diagnostic] = ()) -> None:
        super().__init__(found)
        self._work = 0
        self.unknown_at: Span | None = None
        """The last layer that could not be made. Its reason is reported, unless nothing is."""

    def spend(self, work: int, span: Span) -> None:
        """Count steps; raises TooMuchError where there are too many, or too many mistakes."""
        self._work += work
        if self._work > MAX_WORK:
            message = f"the expressions and lists of this spec take more than {MAX_WORK:,} steps"
            self.stop("E603", message, span)
        if len(self) > MAX_PROBLEMS:
            raise TooMuchError

    def stop(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        """Report a mistake and raise TooMuchError."""
        self.report(code, message, span, help=help)
        raise TooMuchError

    def add_use(self, first: int, place: Span) -> None:
        """Add to the mistakes from number `first` on where the block that they are in is used."""
        inside = self._found[first:]
        self._found[first:] = [problem._replace(span=_used_at(problem.span, place)) for problem in inside]

    def explain(self, code: str, why: str, place: Span) -> None:
        """Add what may be the reason to the mistakes of a code, as help where they have none."""
        for number, problem in enumerate(self._found):
            if problem.code == code and problem.help is None:
                self._found[number] = problem._replace(help=why)
            elif problem.code == code:
                self._found[number] = problem._replace(notes=(*problem.notes, Note(why, place)))

    def by_place(self) -> list[Diagnostic]:
        """The mistakes in the order of the text; one inside a block only for its first use."""
        first: dict[object, Diagnostic] = {}
        for problem in self:
            place = problem.span._replace(via=None) if problem.span else None
            first.setdefault((problem.code, problem.message, place), problem)
        return sorted(first.values(), key=lambda problem: problem.span.start if problem.span else 0)


def _used_at(span: Span | None, place: Span) -> Span | None:
    """A span with the place where the outermost block around it is used."""
    if span is None:
        return None
    return span._replace(via=place if span.via is None else _used_at(span.via, place))
