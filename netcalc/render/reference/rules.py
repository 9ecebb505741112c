"""The reference of design rules, made from their docstrings: for a terminal and as Markdown."""

from collections.abc import Iterator
from itertools import groupby

from netcalc.lint import RULES, THEMES, Rule
from netcalc.render.diagnostics import SEVERITY_COLOURS
from netcalc.render.layout import Segment, hanging, page_width, paragraph

_LEAST_SUMMARY = 30
"""The least width of summaries beside the names."""


def index_lines(width: int | None) -> Iterator[list[Segment]]:
    """Every rule with its severity and its first sentence, by theme."""
    names = max(len(rule.name) for rule in RULES.values())
    beside = names + 19
    at = beside if page_width(width) - beside >= _LEAST_SUMMARY else 8
    for theme, rules in groupby(RULES.values(), key=theme_of):
        yield [(theme, "bold")]
        for rule in rules:
            code = (f"  {rule.code}  {rule.name:{names}}  ", "cyan")
            severity = (f"{rule.severity:7}  ", SEVERITY_COLOURS[rule.severity])
            yield from hanging([code, severity], summary(rule), "", width, at)
        yield []
    words = "netcalc rules CODE explains one; ignore: CODE in a spec silences it"
    yield from paragraph(words, "dim", width)


def rule_lines(rule: type[Rule], width: int | None) -> Iterator[list[Segment]]:
    """One rule: what it means, why it is bad, an example and its fix."""
    explained = rule.documentation()
    yield [
        (f"{rule.code} {rule.name}", "bold cyan"),
        ("  ", ""),
        (rule.severity, SEVERITY_COLOURS[rule.severity]),
    ]
    for heading, text in (("", explained.meaning), ("why", explained.why)):
        yield []
        if heading:
            yield [(heading, "bold")]
        for number, part in enumerate(text.split("\n\n")):
            if number:
                yield []
            yield from paragraph(" ".join(part.split()), "", width)
    for heading, spec in (("example", explained.example), ("fix", explained.fix)):
        yield []
        yield [(heading, "bold")]
        yield from ([("  " + line, "")] for line in spec.splitlines())


def markdown_chunks() -> Iterator[str]:
    """The whole reference as a Markdown page."""
    yield "# Design rules\n\n"
    yield "Made by `netcalc rules --format markdown`. [How a check is run, silenced and read](check.md).\n"
    for theme, rules in groupby(RULES.values(), key=theme_of):
        yield f"\n## {theme.capitalize()}\n"
        for rule in rules:
            yield "\n" + markdown_rule(rule)


def markdown_rule(rule: type[Rule]) -> str:
    """The section of one rule."""
    explained = rule.documentation()
    return (
        f"### {rule.code} {rule.name} ({rule.severity})\n\n{explained.meaning}\n\n"
        f"Why: {explained.why}\n\n"
        f"```yaml\n{explained.example}```\n\nInstead:\n\n```yaml\n{explained.fix}```\n"
    )


def summary(rule: type[Rule]) -> str:
    """The first paragraph of its meaning."""
    return " ".join(rule.documentation().meaning.split("\n\n")[0].split())


def theme_of(rule: type[Rule]) -> str:
    """What a rule is about, by its code."""
    return THEMES[rule.code[:2]]
