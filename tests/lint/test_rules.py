"""Laws over the design rules: what each says, that its fix silences it, that its page is current."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import netcalc.lint
from netcalc.analysis import Row
from netcalc.layers import LAYERS
from netcalc.lint import RULES, THEMES, Finding, Rule, check
from netcalc.render.reference.rules import markdown_chunks, summary, theme_of

from helpers import TESTS
from random_graphs import random_graph
from rule_cases import FOLDER, Case, cases, findings, report, text_of

EVERY_CASE = [pytest.param(rule, case, id=f"{code}-{number}")
              for code, rule in RULES.items() for number, case in enumerate(cases(code))]  # fmt: skip


@pytest.mark.parametrize(("rule", "case"), EVERY_CASE)
def test_a_rule_says_what_stands_under_the_spec(rule: type[Rule], case: Case) -> None:
    assert text_of(rule, findings(rule, case.spec, case.batch)) == case.expected


@pytest.mark.parametrize("code", RULES)
def test_the_first_case_trips_and_its_neighbour_is_sound(code: str) -> None:
    tripping, sound, *_ = cases(code)
    assert f"[{code}]: " in tripping.expected
    assert sound.expected == ""


@pytest.mark.parametrize("rule", RULES.values(), ids=str)
def test_the_fix_silences_the_example(rule: type[Rule]) -> None:
    explained = rule.documentation()
    assert findings(rule, explained.example)
    assert findings(rule, explained.fix) == []


@pytest.mark.parametrize("code", RULES)
def test_ignore_silences_a_rule_on_its_layer_and_on_the_whole(code: str) -> None:
    spec = RULES[code].documentation().example
    before = check(report(spec).graph)
    whole = check(report(f"ignore: {code}\n{spec}").graph)
    assert [found.rule.code for found in whole.violations] == [
        f.rule.code for f in before.violations if f.rule.code != code
    ]
    assert whole.silenced == sum(found.rule.code == code for found in before.violations) > 0
    place = next(found.diagnostic.span for found in before.violations if found.rule.code == code)
    assert place is not None
    lines = spec.splitlines()
    number = place.source.position(place.start)[0] - 1
    lines[number] = with_key(lines[number], f"ignore: [{code}]")
    here = check(report("\n".join(lines) + "\n").graph)
    assert code not in {found.rule.code for found in here.violations}
    assert here.silenced == whole.silenced


def with_key(line: str, key: str) -> str:
    """An item's line with one more key: `- relu`, `- conv: {...}` or `- linear: 10`."""
    if line.endswith(":"):
        return f"{line}\n      {key}"
    if line.endswith("}"):
        head, _, options = line.partition("{")
        return f"{head}{{{key}, {options}"
    head, colon, value = line.partition(": ")
    if colon:
        main = LAYERS[head.strip().removeprefix("- ")].main
        return f"{head}: {{{main}: {value}, {key}}}"
    return f"{line}: {{{key}}}"


def test_every_rule_has_its_cases_and_no_other_file_lies_there() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(RULES)


def test_no_two_rules_have_one_code() -> None:
    rules = [
        thing
        for file in Path(netcalc.lint.__path__[0]).glob("*.py")
        for thing in vars(import_module(f"netcalc.lint.{file.stem}")).values()
        if isinstance(thing, type)
        and thing.__module__ == f"netcalc.lint.{file.stem}"
        and "code" in vars(thing)
    ]
    assert sorted(rule.code for rule in rules) == sorted(RULES)


@pytest.mark.parametrize("code", RULES)
def test_rules_are_told_apart_and_explained(code: str) -> None:
    rule = RULES[code]
    assert re.fullmatch(r"N[1-9]\d\d", code)
    assert code[:2] in THEMES
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name)
    assert rule.__module__ == f"netcalc.lint.{rule.name.replace('-', '_')}"
    assert rule.documentation().why
    assert summary(rule).endswith(".")
    assert theme_of(rule) == THEMES[code[:2]]
    assert [other.name for other in RULES.values()].count(rule.name) == 1


def test_the_reference_page_is_current() -> None:
    page = TESTS.parent / "docs" / "rules.md"
    assert page.read_text() == "".join(markdown_chunks()), (
        "run netcalc rules --format markdown > docs/rules.md"
    )


ADVISED = re.compile(r"(\w+): (\[\[.*?\]\]|\[.*?\]|\d+|true)")


@pytest.mark.parametrize("code", ["N101", "N107"])
def test_options_that_a_help_gives_silence_the_rule(code: str) -> None:
    """Typed as they stand; a transposed convolution's output keeps its size."""
    tried = 0
    for case in cases(code):
        for finding in findings(RULES[code], case.spec):
            lines, number = case.spec.splitlines(), _line(finding)
            item = yaml.safe_load(lines[number].strip())
            if not isinstance(item, list) or not isinstance(item[0], dict) or finding.help is None:
                continue
            ((kind, options),) = item[0].items()
            chosen = dict(ADVISED.findall(finding.help.partition(" reads them")[0]))
            options |= {name: yaml.safe_load(value) for name, value in chosen.items()}
            lines[number] = f"{lines[number].partition('-')[0]}- {kind}: {json.dumps(options)}"
            mended = "\n".join(lines) + "\n"
            assert not [again for again in findings(RULES[code], mended) if _line(again) == number], mended
            if code == "N107":
                shape = report(mended).rows[report(case.spec).rows.index(_row(case, finding))].output_shape
                assert shape == finding.node.output.shape
            tried += 1
    assert tried >= 4


def _line(finding: Finding) -> int:
    """The number of the line that a finding stands at, from 0."""
    span = finding.node.span
    return span.source.position(span.start)[0] - 1


def _row(case: Case, finding: Finding) -> Row:
    """The row of the layer that a finding is about."""
    return next(row for row in report(case.spec).rows if row.node is finding.node)


@pytest.mark.parametrize("layers", ["[{reduce: [0]}]", "[{linear: 3}, {reduce: [0]}, {scale: {factor: 2}}]"])
def test_rules_read_networks_that_end_in_a_single_number(layers: str) -> None:
    assert check(report(f"input: [4]\nlayers: {layers}\n").graph).report


@pytest.mark.parametrize("seed", range(150))
def test_rules_read_random_graphs(seed: int) -> None:
    assert check(random_graph(seed)).report
