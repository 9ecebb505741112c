"""A report to a verdict: what the rules find, what is silenced, which figures hold."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from netcalc.analysis import Report, analyze
from netcalc.diagnostics import Diagnostic, GraphError, Note, Severity, nearest
from netcalc.graph import Graph, Ignored
from netcalc.lint.figures import Claim, claims
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.rules import RULES

_NAMED = 4
"""So many layers are named where one place of the text makes several that trip a rule alike."""


class Found(NamedTuple):
    """What a rule says of one place in the text, and of which layers."""

    rule: type[Rule]
    diagnostic: Diagnostic
    layers: tuple[str, ...]


class Verdict(NamedTuple):
    """What is to be said of a network."""

    report: Report
    found: tuple[Found, ...]
    silenced: int
    """Findings that the spec or the caller ignores."""
    claims: tuple[Claim, ...]
    settings: tuple[Diagnostic, ...] = ()
    """What is to be said of the settings from outside."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Settings, figures that do not hold, then findings by their place in the network."""
        failed = (claim.diagnostic for claim in self.claims if claim.diagnostic is not None)
        return (*self.settings, *failed, *(found.diagnostic for found in self.found))

    def count(self, severity: Severity) -> int:
        """How many diagnostics there are of a severity."""
        return sum(diagnostic.severity == severity for diagnostic in self.diagnostics)


def check(graph: Graph, batch: int = 32, ignore: Collection[str] = (), as_written: bool = True) -> Verdict:
    """Hold a graph against every rule, and against the figures that its spec expects and limits.

    `batch` is that of training, `ignore` has codes of rules that are left out. Where the graph is not
    `as_written`, but with arguments or inputs from outside, what the spec expects is not compared.
    Raises GraphError where the spec ignores a rule that there is not.
    """
    _refuse_unknown(graph)
    report = analyze(graph)
    net = Net(report, batch)
    silenced = 0
    kept: list[tuple[type[Rule], Finding]] = []
    everywhere = {*ignore, *(rule.code for rule in graph.ignored)}
    for rule in RULES.values():
        for finding in rule().check(net):
            if rule.code in everywhere or any(own.code == rule.code for own in finding.node.ignored):
                silenced += 1
            else:
                kept.append((rule, finding))
    order = {node.full_name: number for number, node in enumerate(graph.nodes)}
    kept.sort(key=lambda found: order[found[1].node.full_name])
    return Verdict(report, tuple(_by_place(kept)), silenced, claims(report, batch, as_written))


def _by_place(kept: list[tuple[type[Rule], Finding]]) -> Iterator[Found]:
    """What one place of the text brings about in several layers is said once."""
    places: dict[object, list[tuple[type[Rule], Finding]]] = {}
    for rule, finding in kept:
        key = (rule.code, finding.severity, finding.node.span._replace(via=None))
        places.setdefault(key, []).append((rule, finding))
    for alike in places.values():
        rule, first = alike[0]
        layers = tuple(dict.fromkeys(finding.node.full_name for _, finding in alike))
        notes = (*first.notes, Note(_others(layers[1:]))) if len(layers) > 1 else first.notes
        severity = first.severity or rule.severity
        diagnostic = Diagnostic(rule.code, first.message, first.node.span, notes, first.help, severity)
        yield Found(rule, diagnostic, layers)


def _others(names: tuple[str, ...]) -> str:
    if len(names) <= _NAMED:
        return f"the same of {', '.join(names)}"
    return f"the same of {', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def _refuse_unknown(graph: Graph) -> None:
    """Raise GraphError where `ignore:` names a rule that there is not."""
    ignored = {*graph.ignored, *(rule for node in graph.nodes for rule in node.ignored)}
    unknown = sorted((rule for rule in ignored if rule.code not in RULES), key=lambda rule: rule.span.start)
    if unknown:
        raise GraphError(map(_unknown, unknown))


def _unknown(rule: Ignored) -> Diagnostic:
    return Diagnostic("E801", f"there is no rule {rule.code!r}", rule.span, help=likely_rule(rule.code))


def likely_rule(code: str) -> str:
    """What to type for the code of a rule that there is not."""
    by_name = {rule.name: rule.code for rule in RULES.values()}
    match = by_name.get(nearest(code, by_name) or "") or nearest(code, RULES)
    return f"did you mean {match}?" if match else "netcalc rules lists them"
