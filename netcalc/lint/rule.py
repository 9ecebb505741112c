"""What a design rule is: a code, a name, a severity, a docstring that explains it, and its check."""

import inspect
import re
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from netcalc.diagnostics import Note, Severity
from netcalc.graph import Node
from netcalc.lint.net import Net

_HEADS = re.compile(r"^(Why|Example|Fix):\n", re.MULTILINE)


class Finding(NamedTuple):
    """What a rule says of a layer; `severity` is given where it is not the rule's own."""

    node: Node
    message: str
    notes: tuple[Note, ...] = ()
    help: str | None = None
    severity: Severity | None = None


class Explanation(NamedTuple):
    """A rule's docstring in its parts; `example` and `fix` are whole specs."""

    meaning: str
    why: str
    example: str
    fix: str


class Rule:
    """A design rule. Its docstring says what it means, then has Why:, Example: and Fix:.

    The example trips the rule, and the fix is the same network without what it found.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]

    def check(self, net: Net) -> Iterator[Finding]:
        """What it finds in a network, layer by layer."""
        raise NotImplementedError

    @classmethod
    def explanation(cls) -> Explanation:
        """Its docstring in parts."""
        meaning, *parts = _HEADS.split(inspect.cleandoc(cls.__doc__ or ""))
        found = dict(zip(parts[::2], map(_dedented, parts[1::2]), strict=True))
        return Explanation(meaning.strip(), found["Why"].strip(), found["Example"], found["Fix"])


def _dedented(text: str) -> str:
    return inspect.cleandoc(text) + "\n"
