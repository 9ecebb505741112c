"""What a design rule is: a code, a name, a severity, a docstring that explains it, and its check."""

import inspect
import re
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from netcalc.diagnostics import Note, Severity
from netcalc.graph import Node
from netcalc.lint.net import Net

_HEADINGS = re.compile(r"^(Why|Example|Fix):\n", re.MULTILINE)


class Finding(NamedTuple):
    """A layer that breaks a rule; `severity` is set where it differs from the rule's own."""

    node: Node
    message: str
    notes: tuple[Note, ...] = ()
    help: str | None = None
    severity: Severity | None = None


class Documentation(NamedTuple):
    """The parts of a rule's docstring; `example` and `fix` are whole specs."""

    meaning: str
    why: str
    example: str
    fix: str


class Rule:
    """A design rule. Its docstring says what it means, then has Why:, Example: and Fix:.

    The example breaks the rule; the fix is the same network without the problem.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]

    def check(self, net: Net) -> Iterator[Finding]:
        """The findings in a network, layer by layer."""
        raise NotImplementedError

    @classmethod
    def documentation(cls) -> Documentation:
        """The parts of the docstring."""
        meaning, *parts = _HEADINGS.split(inspect.cleandoc(cls.__doc__ or ""))
        sections = dict(zip(parts[::2], map(_dedented, parts[1::2]), strict=True))
        return Documentation(meaning.strip(), sections["Why"].strip(), sections["Example"], sections["Fix"])


def _dedented(text: str) -> str:
    return inspect.cleandoc(text) + "\n"
