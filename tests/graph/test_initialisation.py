"""`init:` in a spec: who begins by what, and how it is written back."""

from pathlib import Path

import pytest

import netcalc
from netcalc.diagnostics import NetcalcError, Source
from netcalc.graph import Graph, elaborate
from netcalc.graph.flat import flat_spec
from netcalc.spec import read_spec

from helpers import graph_of

SPEC = """
input: [3, 8, 8]
init: he
args: {last: zeros}
blocks:
  unit(how):
    - conv: {filters: 3, kernel: 1}
    - batchnorm
    - conv: {filters: 3, kernel: 1, init: $how}
layers:
  - unit: {name: top, how: xavier}
  - unit: {name: inner, how: "uniform:0.5", init: lecun}
  - residual:
      name: branch
      init: orthogonal
      main:
        - conv: {filters: 3, kernel: 1}
        - batchnorm: {init: $last}
  - conv: {name: plain, filters: 3, kernel: 1}
  - conv: {share: inner.conv1}
"""


def begins(graph: Graph) -> dict[str, str]:
    return {node.full_name: node.init for node in graph.nodes if node.init}


def test_the_innermost_statement_wins_and_the_rest_begins_as_the_top_says() -> None:
    graph = graph_of(SPEC)
    assert graph.init == "he"
    assert begins(graph) == {
        "top.conv2": "xavier",
        "inner.conv1": "lecun",
        "inner.conv2": "uniform:0.5",
        "branch.main.conv1": "orthogonal",
        "branch.main.batchnorm1": "zeros",
        "conv1": "lecun",  # by sharing
    }


def test_a_flat_spec_says_the_same() -> None:
    graph = graph_of(SPEC)
    text = flat_spec(graph)
    again = elaborate(read_spec(Source("flat", text)))
    assert [node.init for node in again.nodes] == [node.init for node in graph.nodes]
    assert again.init == "he"
    assert "init: 'uniform:0.5'" in text
    assert "share: inner_conv1}" in text


def test_nothing_is_stated_unless_it_is() -> None:
    graph = netcalc.load("lenet5")
    assert not graph.init
    assert not begins(graph)
    assert "init" not in flat_spec(graph)


def test_an_argument_chooses_it(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "input: [4]\nargs: {how: he}\ninit: $how\nvariants: {small: {init: lecun}}\nlayers:\n  - linear: 3\n"
    )
    assert netcalc.load(path).init == "he"
    assert netcalc.load(path, args={"how": "normal:0.02"}).init == "normal:0.02"
    assert netcalc.load(path, variant="small").init == "lecun"


@pytest.mark.parametrize(
    ("top", "items", "place", "match"),
    [
        ("he", "relu", "he", "no layer begins by it: none has parameters that he draws"),
        ("he", "linear: {units: 3, init: zeros}", "he", "or each says otherwise"),
        ("kaiming", "linear: 3", "kaiming", "did you mean he"),
        ("normal", "linear: 3", "normal", "normal has a standard deviation above 0: normal:0.02"),
        ("[he]", "linear: 3", "[he]", "init: is the name of an initialisation, not"),
    ],
)
def test_a_wrong_one_at_the_top_is_refused_with_its_place(
    top: str, items: str, place: str, match: str
) -> None:
    text = f"input: [4]\ninit: {top}\nlayers:\n  - {items}\n"
    with pytest.raises(NetcalcError, match=match.replace("[", r"\[")) as caught:
        graph_of(text)
    (problem,) = caught.value.diagnostics
    assert problem.span is not None
    assert text[problem.span.start : problem.span.end] == place


def test_figures_stay_and_a_difference_is_told() -> None:
    plain = "input: [4]\nlayers:\n  - linear: 3\n"
    stated = plain.replace("linear: 3", "linear: {units: 3, init: he}")
    assert netcalc.analyze(graph_of(plain)).totals == netcalc.analyze(graph_of(stated)).totals
    found = netcalc.compare(graph_of(plain), graph_of(stated), diff=True).to_dict()
    assert [row["changes"] for row in found["difference"]["layers"]] == [{"init": [None, "he"]}]
