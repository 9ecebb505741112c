"""What is wrong with a spec, gathered as it is found, and the work that finding it may take."""

from netcalc.diagnostics import Diagnostic, Span

MAX_PROBLEMS = 300
"""From so many mistakes on, nobody needs the others."""
MAX_WORK = 1_000_000
"""The most steps that evaluating a spec may take: parts of expressions, items of lists."""


class TooMuchError(Exception):
    """A limit is passed, which stands in the problems; there is no use in going on."""


class Problems(list[Diagnostic]):
    """The mistakes found so far."""

    def __init__(self, found: "list[Diagnostic] | tuple[Diagnostic, ...]" = ()) -> None:
        super().__init__(found)
        self._work = 0

    def spend(self, work: int, span: Span) -> None:
        """Count steps; raises TooMuchError where there are too many, or too many mistakes."""
        self._work += work
        if self._work > MAX_WORK:
            message = f"the expressions and lists of this spec take more than {MAX_WORK:,} steps"
            self.stop(Diagnostic("E603", message, span))
        if len(self) > MAX_PROBLEMS:
            raise TooMuchError

    def stop(self, problem: Diagnostic) -> None:
        """Report what makes going on useless."""
        self.append(problem)
        raise TooMuchError
