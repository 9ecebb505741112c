"""The cases of the design rules: `N101.txt` has specs, each with what that rule says of it.

Run as a script, this writes anew what the rules say: read the difference before you commit it.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from netcalc.analysis import Report, analyze
from netcalc.diagnostics import Diagnostic, Source
from netcalc.graph import elaborate
from netcalc.lint import RULES, Finding, Net, Rule
from netcalc.render.diagnostics import block_lines
from netcalc.spec import read_spec

FOLDER = Path(__file__).parent
SAYS = "----- what the rule says -----\n"
NEXT = "===== next =====\n"


class Case(NamedTuple):
    """A spec, and the text of what a rule says of it; empty where it is sound."""

    spec: str
    expected: str

    @property
    def batch(self) -> int:
        """The batch of training: `# batch 1` in the spec gives another than 32."""
        found = re.search(r"^# batch (\d+)", self.spec, re.MULTILINE)
        return int(found[1]) if found else 32


@cache
def cases(code: str) -> tuple[Case, ...]:
    """The cases of a rule: the first one trips it, the second one is its nearest sound neighbour."""
    text = (FOLDER / f"{code}.txt").read_text()
    parts = (part.partition(SAYS) for part in text.split(NEXT))
    return tuple(Case(spec, expected) for spec, _, expected in parts)


@cache
def report(spec: str) -> Report:
    return analyze(elaborate(read_spec(Source("spec.yaml", spec))))


def findings(rule: type[Rule], spec: str, batch: int = 32, net: type[Net] = Net) -> list[Finding]:
    """What a rule finds in a spec."""
    return list(rule().check(net(report(spec), batch)))


def text_of(rule: type[Rule], found: list[Finding]) -> str:
    """Findings as a terminal shows them."""
    return "".join(f"{line}\n" for finding in found for line in _lines(rule, finding))


def _lines(rule: type[Rule], finding: Finding) -> Iterator[str]:
    severity = finding.severity or rule.severity
    span = finding.node.span
    diagnostic = Diagnostic(rule.code, finding.message, span, finding.notes, finding.help, severity)
    for segments in block_lines(diagnostic):
        yield "".join(text for text, _ in segments).rstrip()


def rewrite() -> None:
    """Write what each rule says now into its cases."""
    for code, rule in RULES.items():
        written = [
            f"{case.spec}{SAYS}{text_of(rule, findings(rule, case.spec, case.batch))}" for case in cases(code)
        ]
        (FOLDER / f"{code}.txt").write_text(NEXT.join(written))


if __name__ == "__main__":
    rewrite()
