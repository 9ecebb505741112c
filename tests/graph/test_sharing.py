"""`share:` on layers, blocks, `residual` and `parallel`: which parameters are whose."""

import pytest

from netcalc.diagnostics import GraphError
from netcalc.graph import Graph
from netcalc.graph.flat import flat_names, flat_spec

from helpers import graph_of, report_of

TOWER = """
blocks:
  tower(filters, kernel=3):
    - conv: {filters: $filters, kernel: $kernel, stride: 2}
    - batchnorm
    - relu
    - residual: {main: [{conv: {filters: $filters, kernel: 3, pad: 1, repeat: 2}}]}
    - global_avgpool
"""
SIAMESE = f"""
inputs: {{left: [3, 32, 32], right: [3, 32, 32]}}
{TOWER}
layers:
  - tower: {{name: a, filters: 8, kernel: 5, from: left}}
  - tower: {{name: b, %s, from: right}}
  - concat: {{from: [a, b]}}
  - linear: 1
"""
HEAD = """
  - parallel:
      name: high
      from: p3
      branches:
        boxes: [{conv: {filters: 4, kernel: 3, pad: 1}}, relu, {conv: {filters: 4, kernel: 1}}]
        classes: [{conv: {filters: 6, kernel: 3, pad: 1}}]
"""
PYRAMID = f"""
inputs: {{p3: [5, 16, 16], p4: [5, 8, 8], p5: [5, 4, 4]}}
layers:
{HEAD}
  - parallel: {{name: middle, share: high, from: p4}}
  - parallel: {{name: low, share: middle, from: p5}}
outputs: [high, middle, low]
"""


def sharing(graph: Graph) -> dict[str, str]:
    return {node.full_name: node.shared for node in graph.nodes if node.shared is not None}


def test_a_siamese_net_counts_its_tower_once() -> None:
    shared, apart = report_of(SIAMESE % "share: a"), report_of(SIAMESE % "filters: 8, kernel: 5")
    tower = 8 * 3 * 25 + 8 + 16 + 2 * (8 * 8 * 9 + 8)
    assert (shared.totals.params, apart.totals.params) == (tower + 17, 2 * tower + 17)
    assert (shared.totals.buffers, apart.totals.buffers) == (16, 32)
    assert shared.totals.macs == apart.totals.macs
    assert sharing(shared.graph) == {
        f"b.{name}": f"a.{name}" for name in ("conv1", "batchnorm1", "main.conv1", "main.conv2")
    }


def test_a_head_shared_three_ways() -> None:
    report = report_of(PYRAMID)
    head = 4 * 5 * 9 + 4 + 4 * 4 + 4 + 6 * 5 * 9 + 6
    assert report.totals.params == head
    assert report.totals.macs == (16 * 16 + 8 * 8 + 4 * 4) * (4 * 5 * 9 + 4 * 4 + 6 * 5 * 9)
    assert sharing(report.graph)["low.boxes.conv2"] == "high.boxes.conv2"
    assert [node.output.shape for node in report.graph.nodes if node.name == "low"] == [(10, 4, 4)]


@pytest.mark.parametrize("text", [SIAMESE % "share: a", PYRAMID])
def test_a_flat_spec_shares_alike(text: str) -> None:
    graph = graph_of(text)
    names = flat_names(graph)
    assert sharing(graph_of(flat_spec(graph))) == {names[k]: names[v] for k, v in sharing(graph).items()}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("conv: {name: x, filters: 3, kernel: 3, pad: 1, bias: false}", "conv: {share: x}"),
        ("linear: {name: x, units: 8}", "linear: {share: x}"),
        ("unit: {name: x, filters: 3}", "unit: {share: x}"),
        ("residual: {name: x, main: [{unit: 3}]}", "residual: {share: x}"),
        ("residual: {main: [{unit: 3}]}", "residual: {share: add1}"),
        ("residual: {name: x, main: [{unit: 3}]}", "residual: {share: x, main: [{unit: 3}]}"),
        ("parallel: {name: x, join: add, branches: {l: [unit: 3], r: [unit: 3]}}", "parallel: {share: x}"),
        ("parallel: {name: x, split: true, branches: {l: [{conv: {filters: 1, kernel: 1}}], m: [], n: []}}", "parallel: {share: x}"),
        ("$block: {name: x, filters: 3}", "$block: {share: x}"),
        ("unit: {name: x, filters: 3, repeat: 2}", "unit: {share: x, repeat: 2}"),
        ("unit: {name: x, each: {filters: [3, 3]}}", "unit: {share: x, repeat: 2}"),
        ("unit: {filters: 3}", "unit: {share: unit1}"),
    ],
)  # fmt: skip
def test_what_shares_needs_no_options(first: str, second: str) -> None:
    blocks = "args: {block: unit}\nblocks:\n  unit(filters):\n    - conv: {filters: $filters, kernel: 1}\n    - relu\n"
    text = f"input: [3, 8, 8]\n{blocks}layers:\n  - {first}\n"
    once, twice = report_of(text), report_of(f"{text}  - {second}\n")
    assert twice.totals.params == once.totals.params > 0
    assert twice.totals.macs == 2 * once.totals.macs
    half = len(once.rows)
    for mine, theirs in zip(twice.rows[half:], twice.rows[:half], strict=True):
        assert mine.node.layer == theirs.node.layer
        assert mine.node.shared == (theirs.node.full_name if theirs.node.params else None)


def test_an_option_that_is_given_wins() -> None:
    graph = graph_of(
        "input: [3, 9, 9]\nlayers:\n  - conv: {name: a, filters: 3, kernel: 3, pad: 1}\n  - conv: {share: a, stride: 2}\n"
    )
    assert graph.nodes[1].output.shape == (3, 5, 5)


def test_tied_layers_inside_what_is_shared_have_one_owner() -> None:
    graph = graph_of(
        "input: [4]\nblocks:\n  tied():\n    - linear: {name: x, units: 4}\n    - linear: {share: x}\n"
        "layers:\n  - tied: {name: a}\n  - tied: {name: b, share: a}\n  - linear: {share: b.x}\n"
    )
    assert sharing(graph) == {"a.linear1": "a.x", "b.x": "a.x", "b.linear1": "a.x", "linear1": "a.x"}


def test_an_embedding_and_a_linear_layer_may_share() -> None:
    text = "input: [7]\nlayers:\n  - embedding: {name: words, entries: 50, width: 8}\n  - linear: {units: 50, bias: false, share: words}\n"
    assert report_of(text).totals.params == 400


def test_a_mistake_inside_is_told_once() -> None:
    text = "input: [3, 8, 8]\nblocks:\n  unit(n):\n    - conv: {filters: $n, kernel: 99}\nlayers:\n  - unit: {name: a, n: 3}\n  - unit: {share: a}\n"
    with pytest.raises(GraphError) as caught:
        graph_of(text)
    assert len(caught.value.diagnostics) == 1


OWNERS = """
input: [4]
blocks:
  unit():
    - linear: {units: 4, share: q}
  free(on):
    - linear: {units: 4, trainable: $on}
  begun(how):
    - linear: {units: 4, init: $how}
layers:
  - residual: {name: x, main: [{linear: 4}]}
  - linear: {name: q, units: 4, trainable: false}
  - residual: {name: frozen, main: [{linear: {units: 4, trainable: false}}]}
  - free: {name: open, on: true}
  - begun: {name: start, how: he}
  - residual: {name: tied, main: [{linear: {name: a, units: 4}}, {linear: {units: 4, share: a}}]}
"""


@pytest.mark.parametrize(
    ("item", "place", "match"),
    [
        ("residual: {share: x, main: [{linear: {units: 4, share: ?}}]}", "q", "of q and of x.main.linear1"),
        ("parallel: {share: x, branches: {m: [{linear: {units: 4, share: ?}}], n: []}, join: add}", "q", "and of"),
        ("residual: {share: tied, main: [{linear: {share: ?}}, {linear: 4}]}", "q", "of q and of tied.main.a"),
        ("residual: {share: x, main: [unit]}", "q", "of q and of x.main.linear1"),
        ("residual: {share: x, main: [{linear: {units: 4, trainable: ?}}]}", "false", "once, at x.main.linear1"),
        ("residual: {share: frozen, main: [{linear: {units: 4, trainable: ?}}]}", "true", "once, at frozen"),
        ("free: {share: open, on: false}", "$on", "once, at open.linear1"),
        ("residual: {trainable: ?, main: [{linear: {share: q}}]}", "false", "once, at q"),
        ("residual: {trainable: ?, main: [{residual: {share: x}}, unit]}", "true", "once, at q, x.main.linear1"),
        ("unit: {trainable: ?}", "false", "once, at q"),
        ("unit: {trainable: ?, repeat: 2}", "false", "once, at q"),
        ("linear: {share: q, init: ?}", "he", "how shared parameters begin is said once, at q"),
        ("residual: {share: x, main: [{linear: {units: 4, init: ?}}]}", "he", "once, at x.main.linear1"),
        ("begun: {share: start, how: lecun}", "$how", "once, at start.linear1"),
        ("residual: {init: ?, main: [{linear: {share: q}}]}", "he", "once, at q"),
        ("unit: {init: ?}", "he", "once, at q"),
    ],
)  # fmt: skip
def test_what_is_said_of_parameters_that_are_another_s_is_refused(item: str, place: str, match: str) -> None:
    text = f"{OWNERS}  - {item.replace('?', place)}\n"
    with pytest.raises(GraphError, match=match) as caught:
        graph_of(text)
    (problem,) = caught.value.diagnostics
    assert problem.code == "E508"
    assert problem.span is not None
    assert text[problem.span.start : problem.span.end] == place


@pytest.mark.parametrize(
    "item",
    [
        "residual: {share: x, main: [{linear: {share: x.main.linear1}}]}",
        "residual: {share: tied, main: [{linear: {name: b, units: 4}}, {linear: {share: b}}]}",
        "residual: {share: frozen, main: [{linear: {units: 4, trainable: false}}]}",
        "free: {share: open, on: true}",
        "begun: {share: start, how: he}",
        "residual: {trainable: false, main: [{linear: 4}, {residual: {share: x}}]}",
        "residual: {trainable: false, main: [{linear: 4}, {residual: {share: x, main: [{linear: 4}]}}]}",
    ],
)
def test_what_agrees_with_the_owner_is_no_mistake(item: str) -> None:
    before, after = report_of(OWNERS), report_of(f"{OWNERS}  - {item}\n")
    own = 20 if item.startswith("residual: {trainable") else 0
    assert after.totals.params == before.totals.params + own
    assert after.totals.trainable_params == before.totals.trainable_params
