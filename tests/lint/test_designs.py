"""Published designs draw no warning, flawed ones are found: specs as strangers write them."""

import re
from pathlib import Path

import pytest

from netcalc.diagnostics import Source
from netcalc.graph import elaborate
from netcalc.lint import RULES, Verdict, check
from netcalc.spec import read_spec

FOLDER = Path(__file__).parent


def designs(file: str) -> dict[str, str]:
    """The specs of a file by their names."""
    specs = re.split(r"^---\n", (FOLDER / file).read_text(), flags=re.MULTILINE)
    return {re.search(r"^name: (.*)", spec, re.MULTILINE)[1]: spec for spec in specs}  # type: ignore[index]


SOUND = designs("sound_designs.yaml")
FLAWED = designs("flawed_designs.yaml")


def verdict(spec: str) -> Verdict:
    return check(elaborate(read_spec(Source("spec.yaml", spec))))


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_design_draws_no_warning(name: str) -> None:
    assert [str(found) for found in verdict(SOUND[name]).diagnostics if found.severity != "note"] == []


@pytest.mark.parametrize("name", FLAWED)
def test_a_flawed_design_is_found_by_its_rule(name: str) -> None:
    code = name.partition("# ")[2]
    found = {found.code for found in verdict(FLAWED[name]).diagnostics if found.severity != "note"}
    assert code in found


def test_there_are_many_designs_and_a_flaw_for_every_rule() -> None:
    assert len(SOUND) >= 60
    assert len(FLAWED) >= 60
    warnings = {code for code, rule in RULES.items() if rule.severity != "note"}
    assert {name.partition("# ")[2] for name in FLAWED} >= warnings - {"N101", "N404"}
