"""Published designs draw no warning, flawed ones are found: specs as strangers write them."""

import re
from pathlib import Path

import pytest

from netcalc.diagnostics import Source
from netcalc.graph import elaborate
from netcalc.lint import Verdict, check
from netcalc.spec import read_spec

FOLDER = Path(__file__).parent


def designs(file: str) -> dict[str, str]:
    """The specs of a file by their names."""
    specs = re.split(r"^---\n", (FOLDER / file).read_text(), flags=re.MULTILINE)
    return {re.search(r"^name: (.*)", spec, re.MULTILINE)[1]: spec for spec in specs}  # type: ignore[index]


SOUND = designs("sound_designs.yaml")


def verdict(spec: str) -> Verdict:
    return check(elaborate(read_spec(Source("spec.yaml", spec))))


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_design_draws_no_warning(name: str) -> None:
    assert [str(found) for found in verdict(SOUND[name]).diagnostics if found.severity != "note"] == []


def test_there_are_many_sound_designs() -> None:
    assert len(SOUND) >= 60
