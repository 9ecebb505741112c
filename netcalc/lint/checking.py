"""Report to Verdict: the rules that are broken, the findings that are ignored, the checks of figures."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from netcalc.analysis import Report, analyze
from netcalc.diagnostics import Diagnostic, GraphError, Note, Severity, nearest
from netcalc.graph import Graph, Ignored
from netcalc.lint.figures import FigureCheck, check_figures
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.rules import RULES

_NAMED = 4
"""How many layers a note names, where one place of the text gives several the same finding."""


class Violation(NamedTuple):
    """A rule broken at one place of the text, and the layers that this place defines."""

    rule: type[Rule]
    diagnostic: Diagnostic
    layers: tuple[str, ...]


class Verdict(NamedTuple):
    """The result of checking a network."""

    report: Report
    violations: tuple[Violation, ...]
    silenced: int
    """How many findings the spec or the caller ignores."""
    figure_checks: tuple[FigureCheck, ...]
    settings: tuple[Diagnostic, ...] = ()
    """Diagnostics about settings given on the command line."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Settings, failed checks of figures, then violations by their place in the network."""
        failed = (check.diagnostic for check in self.figure_checks if check.diagnostic is not None)
        return (*self.settings, *failed, *(violation.diagnostic for violation in self.violations))

    def count(self, severity: Severity) -> int:
        """The number of diagnostics of a severity."""
        return sum(diagnostic.severity == severity for diagnostic in self.diagnostics)


def check(graph: Graph, batch: int = 32, ignore: Collection[str] = (), as_written: bool = True) -> Verdict:
    """Check a graph by every rule, and compare the figures that its spec expects or limits.

    `batch` is the training batch, `ignore` holds codes of rules to leave out. `as_written` is false where
    arguments or inputs were overridden: the expected figures are then not compared.
    Raises GraphError where the spec ignores a rule that does not exist.
    """
    _refuse_unknown(graph)
    report = analyze(graph)
    net = Net(report, batch)
    silenced = 0
    findings: list[tuple[type[Rule], Finding]] = []
    everywhere = {*ignore, *(rule.code for rule in graph.ignored)}
    for rule in RULES.values():
        for finding in rule().check(net):
            if rule.code in everywhere or any(own.code == rule.code for own in finding.node.ignored):
                silenced += 1
            else:
                findings.append((rule, finding))
    order = {node.full_name: number for number, node in enumerate(graph.nodes)}
    findings.sort(key=lambda entry: order[entry[1].node.full_name])
    violations = tuple(_by_place(findings))
    return Verdict(report, violations, silenced, check_figures(report, batch, as_written))


def _by_place(findings: list[tuple[type[Rule], Finding]]) -> Iterator[Violation]:
    """One violation for each rule and place of the text, with all layers that the place defines."""
    places: dict[object, list[tuple[type[Rule], Finding]]] = {}
    for rule, finding in findings:
        key = (rule.code, finding.severity, finding.node.span._replace(via=None))
        places.setdefault(key, []).append((rule, finding))
    for alike in places.values():
        rule, first = alike[0]
        layers = tuple(dict.fromkeys(finding.node.full_name for _, finding in alike))
        notes = (*first.notes, Note(_others(layers[1:]))) if len(layers) > 1 else first.notes
        severity = first.severity or rule.severity
        diagnostic = Diagnostic(rule.code, first.message, first.node.span, notes, first.help, severity)
        yield Violation(rule, diagnostic, layers)


def _others(names: tuple[str, ...]) -> str:
    if len(names) <= _NAMED:
        return f"the same of {', '.join(names)}"
    return f"the same of {', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def _refuse_unknown(graph: Graph) -> None:
    """Raise GraphError where `ignore:` names a rule that does not exist."""
    ignored = {*graph.ignored, *(rule for node in graph.nodes for rule in node.ignored)}
    unknown = sorted((rule for rule in ignored if rule.code not in RULES), key=lambda rule: rule.span.start)
    if unknown:
        raise GraphError(map(_unknown, unknown))


def _unknown(rule: Ignored) -> Diagnostic:
    return Diagnostic("E801", f"there is no rule {rule.code!r}", rule.span, help=likely_rule(rule.code))


def likely_rule(code: str) -> str:
    """A suggestion for a code that belongs to no rule."""
    by_name = {rule.name: rule.code for rule in RULES.values()}
    match = by_name.get(nearest(code, by_name) or "") or nearest(code, RULES)
    return f"did you mean {match}?" if match else "netcalc rules lists them"
