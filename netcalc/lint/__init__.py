"""Design rules over a counted graph, one a file, and the figures that a spec expects or limits."""

from netcalc.lint.checking import Found, Verdict, check, likely_rule
from netcalc.lint.figures import Claim
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.rules import RULES, THEMES
from netcalc.lint.settings import idle_settings

__all__ = [
    "RULES", "THEMES", "Claim", "Finding", "Found", "Net", "Rule", "Verdict", "check", "idle_settings",
    "likely_rule",
]  # fmt: skip
