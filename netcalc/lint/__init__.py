"""Design rules, one a file, and checks of the figures that a spec expects or limits."""

from netcalc.lint.checking import Verdict, Violation, check, likely_rule
from netcalc.lint.figures import FigureCheck
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.lint.rules import RULES, THEMES
from netcalc.lint.settings import idle_settings

__all__ = [
    "RULES", "THEMES", "FigureCheck", "Finding", "Net", "Rule", "Verdict", "Violation", "check",
    "idle_settings", "likely_rule",
]  # fmt: skip
