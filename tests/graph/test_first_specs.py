"""Twelve networks as beginners write them: their figures, and the way there from other frameworks' words.

Those in `in_other_words` are full of mistakes. Whoever types what the help of each says gets the same
figures as the spec of that name, which are PyTorch's (tests/golden/make_first_specs.py).
"""

import json
import re
from pathlib import Path

import pytest

from netcalc.analysis import analyze
from netcalc.diagnostics import Diagnostic, NetcalcError, Source
from netcalc.graph import Graph, elaborate
from netcalc.spec import read_spec

TESTS = Path(__file__).parent.parent
FIGURES: dict[str, dict[str, int]] = json.loads((TESTS / "golden" / "first_specs.json").read_text())
_VALUE = re.compile(r"(?:\[[^]]*\]|\"[^\"]*\"|[^,}\[])*")
"""What stands between a key and the next one, or the brace."""


def figures(graph: Graph) -> dict[str, int]:
    totals = analyze(graph).totals
    return {"params": totals.params, "macs": totals.macs}


def read(text: str) -> Graph:
    return elaborate(read_spec(Source("spec.yaml", text)))


def followed(text: str) -> str:
    """A spec with what the help of its mistakes says, as far as that can be typed without a thought."""
    for _ in range(5):
        try:
            read(text)
        except NetcalcError as error:
            line = len(text)
            for problem in sorted(error.diagnostics, key=place, reverse=True):
                if place(problem) < line:
                    text = mended(text, problem)
                if (problem.help or "").startswith("write - "):  # the line is a new one
                    line = text.rfind("\n", 0, place(problem))
    return text


def place(problem: Diagnostic) -> int:
    assert problem.span is not None
    return problem.span.start


def mended(text: str, problem: Diagnostic) -> str:
    """A spec in which one mistake is mended by its help."""
    assert problem.span is not None, problem
    assert problem.help is not None, problem
    start, end = problem.span.start, problem.span.end
    value = _VALUE.match(text, end)
    assert value is not None
    if meant := re.fullmatch(r"did you mean (\w+)\?", problem.help):
        return text[:start] + meant[1] + text[end:]
    line_end = text.find("\n", end)
    if whole := re.fullmatch(r"write (- .*?)(?: where .*)?", problem.help):
        line = text.rfind("\n", 0, start) + 1
        return text[:line] + text[line:start].split("- ")[0] + whole[1] + text[line_end:]
    if pair := re.match(r"write (\w+: [^;]*)", problem.help):
        return text[:start] + pair[1] + text[value.end() :]
    before, after = text[:start].rstrip(", "), text[value.end() :]
    if before.endswith("{"):  # the first option, and where it is the only one the braces too
        after = after.removeprefix(", ")
        before, after = (before.removesuffix(": {"), after[1:]) if after[0] == "}" else (before, after)
    if problem.help.startswith("leave it out"):
        return before + after
    below = re.fullmatch(r"put it in an item of its own below: (- .*)", problem.help)
    assert below is not None, problem
    indent = re.search(r"^ *(?=- )", text[text.rfind("\n", 0, start) + 1 :], re.MULTILINE)
    assert indent is not None
    rest, newline, others = after.partition("\n")
    return f"{before}{rest}\n{indent[0]}{below[1]}{newline}{others}"


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_those_of_pytorch(name: str) -> None:
    text = (TESTS / "first_specs" / f"{name}.yaml").read_text()
    assert figures(read(text)) == FIGURES[name]


@pytest.mark.parametrize("name", FIGURES)
def test_who_does_what_the_help_says_gets_there(name: str) -> None:
    text = (TESTS / "first_specs" / "in_other_words" / f"{name}.yaml").read_text()
    with pytest.raises(NetcalcError, match="E40[12]"):
        read(text)
    assert figures(read(followed(text))) == FIGURES[name]
