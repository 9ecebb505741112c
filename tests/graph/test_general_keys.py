"""Every key that goes with every item, on every kind of item, in every place: it acts, or is refused.

Each key has an effect that can be seen in the graph, stated once; it is looked for in the nodes that the
spec has with the key and not without it, or the other way round.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from netcalc import load
from netcalc.diagnostics import GraphError, NetcalcError
from netcalc.graph import Graph, Node
from netcalc.spec import ITEM_KEYS

from helpers import graph_of

Nodes = dict[str, Node]

KINDS = {
    "layer": "conv: {filters: 3, kernel: 1}",
    "block": "unit: {n: 3}",
    "residual": "residual: {main: [{conv: {filters: 3, kernel: 1}}]}",
    "parallel": "parallel: {join: add, branches: {l: [{conv: {filters: 3, kernel: 1}}], r: []}}",
    "layer by expression": "$layer: {filters: 3, kernel: 1}",
    "block by expression": "$block: {n: 3}",
}
HEAD = """
args: {layer: conv, block: unit, on: true}
blocks:
  unit(n):
    - conv: {filters: $n, kernel: 1}
    - relu
"""
OWNERS = {
    "layer": "conv: {name: owner, filters: 3, kernel: 1}",
    "block": "unit: {name: owner, n: 3}",
    "residual": "residual: {name: owner, main: [{conv: {filters: 3, kernel: 1}}]}",
    "parallel": "parallel: {name: owner, join: add, branches: {l: [{conv: {filters: 3, kernel: 1}}], r: []}}",
}
PLACES: dict[str, str] = {
    "top": "layers:\n  - ITEM\n",
    "in a block": "  outer():\n    - ITEM\nlayers:\n  - outer\n",
    "in a repeated block": "  outer():\n    - ITEM\nlayers:\n  - outer: {repeat: 2}\n",
    "in a block for each row": "  outer(x):\n    - ITEM\nlayers:\n  - outer: {each: {x: [1, 2]}}\n",
    "in a branch": "layers:\n  - residual: {main: [ITEM]}\n",
    "in a parallel branch": "layers:\n  - parallel: {branches: {a: [ITEM], b: []}}\n",
}


def spec(item: str, kind: str, place: str) -> str:
    """An item in a place; `first`, `second` and `owner`, which is of its kind, stand at the top above it."""
    above = ("tanh: {name: first}", "sigmoid: {name: second}", OWNERS[kind.partition(" ")[0]])
    layers = "layers:\n" + "".join(f"  - {line}\n" for line in above)
    body = PLACES[place].replace("layers:\n", layers).replace("ITEM", f"{{{item}}}")
    return f"input: [3, 4, 4]{HEAD}{body}"


def with_key(item: str, key: str, value: str) -> str:
    return f"{item[:-1]}, {key}: {value}}}"


def nodes(graph: Graph) -> Nodes:
    return {node.full_name: node for node in graph.nodes}


def names(_: Nodes, found: Nodes) -> bool:
    return any("given" in name.split(".") for name in found)


def reads(plain: Nodes, found: Nodes) -> bool:
    """The item reads what `from:` names; without it nothing but the layer below does."""
    return sum("first" in node.inputs for node in found.values()) > sum(
        "first" in node.inputs for node in plain.values()
    )


def shares(plain: Nodes, found: Nodes) -> bool:
    return not any(node.shared for node in plain.values()) and any(
        (node.shared or "").startswith("owner") for node in found.values()
    )


def is_twice(plain: Nodes, found: Nodes) -> bool:
    convs = [sum(node.layer.kind == "conv" for node in some.values()) for some in (plain, found)]
    return convs[1] == 2 * convs[0] - 1  # the owner stands there once


def is_gone(plain: Nodes, found: Nodes) -> bool:
    return sum(node.layer.kind == "conv" for node in found.values()) == 1 < len(plain)


def is_silent(plain: Nodes, found: Nodes) -> bool:
    return not any(node.ignored for node in plain.values()) and any(
        node.ignored and node.ignored[0].code == "N101" and node.params for node in found.values()
    )


def is_frozen(plain: Nodes, found: Nodes) -> bool:
    return not any(node.is_frozen for node in plain.values()) and all(
        node.is_frozen for name, node in found.items() if node.params and not name.startswith("owner")
    )


def begins_so(plain: Nodes, found: Nodes) -> bool:
    return not any(node.init for node in plain.values()) and all(
        node.init == "he" for name, node in found.items() if node.params and not name.startswith("owner")
    )


EFFECTS: dict[str, tuple[str, Callable[[Nodes, Nodes], bool]]] = {
    "name": ("given", names),
    "from": ("first", reads),
    "share": ("owner", shares),
    "repeat": ("2", is_twice),
    "each": ("{COLUMN: [3, 3]}", is_twice),
    "when": ("false", is_gone),
    "ignore": ("[N101]", is_silent),
    "trainable": ("false", is_frozen),
    "init": ("he", begins_so),
}


def test_every_key_has_an_effect() -> None:
    assert EFFECTS.keys() == set(ITEM_KEYS)


def column(item: str) -> tuple[str, str]:
    """An item without the option that `each` gives, and the option's name."""
    for name in ("filters", "n"):
        if item.startswith(("conv", "unit", "$")) and f"{{{name}: 3" in item:
            return item.replace(f"{name}: 3, ", "").replace(f"{name}: 3", ""), name
    return item.replace("filters: 3", "filters: $x"), "x"


@pytest.mark.parametrize(("key", "kind"), [*product(EFFECTS, KINDS)])
def test_a_key_acts_on_every_kind_of_item_in_every_place(key: str, kind: str) -> None:
    value, acts = EFFECTS[key]
    for place in PLACES:
        item = KINDS[kind]
        changed = item
        if key == "each":
            changed, name = column(item)
            value = "{COLUMN: [3, 3]}".replace("COLUMN", name)
        changed = with_key(changed, key, value).replace("{, ", "{")
        plain, found = (nodes(graph_of(spec(one, kind, place))) for one in (item, changed))
        assert acts(plain, found), place


@pytest.mark.parametrize(("key", "kind"), [*product(EFFECTS, KINDS)])
def test_a_wrong_value_is_refused_with_its_place(key: str, kind: str) -> None:
    wrong = {
        "name": "a.b", "from": "nosuch", "share": "nosuch", "repeat": "-1", "each": "3", "when": "3",
        "ignore": "3", "trainable": "3", "init": "3",
    }[key]  # fmt: skip
    text = spec(with_key(KINDS[kind], key, wrong), kind, "top")
    with pytest.raises(NetcalcError) as caught:
        graph_of(text)
    (problem,) = caught.value.diagnostics
    assert problem.span is not None
    assert text[problem.span.start : problem.span.end] == wrong


@pytest.mark.parametrize("key", EFFECTS)
def test_a_key_acts_in_an_included_block_and_under_a_variant(key: str, tmp_path: Path) -> None:
    value, acts = EFFECTS[key]
    value = value.replace("COLUMN", "filters")
    item = with_key("conv: {filters: 3, kernel: 1}" if key != "each" else "conv: {kernel: 1}", key, value)
    shown = "conv: {filters: 3, kernel: 1}"
    for name, body in (("plain", shown), ("changed", item)):
        (tmp_path / f"{name}-part.yaml").write_text(f"blocks:\n  part():\n    - {body}\n")
        (tmp_path / f"{name}.yaml").write_text(
            f"include: {name}-part.yaml\ninput: [3, 4, 4]\nargs: {{n: 1}}\nvariants: {{v: {{n: 1}}}}\n"
            "layers:\n  - tanh: {name: first}\n  - sigmoid\n  - conv: {name: owner, filters: 3, kernel: 1}\n"
            "  - part: {repeat: $n}\n"
        )
    plain, found = (nodes(load(tmp_path / f"{name}.yaml", variant="v")) for name in ("plain", "changed"))
    if key in ("repeat", "each"):
        assert len(found) == len(plain) + 1
    else:
        assert acts(plain, found)


def test_each_use_of_a_stack_reads_what_from_names() -> None:
    graph = graph_of("input: [3]\nlayers:\n  - relu: {name: a}\n  - tanh\n  - elu: {from: a, repeat: 2}\n")
    assert [node.inputs for node in graph.nodes[2:]] == [("a",), ("a",)]


@pytest.mark.parametrize("key", ["repeat: 0", "when: false"])
def test_the_name_of_what_is_left_out_means_what_it_would_have_read(key: str) -> None:
    graph = graph_of(
        "input: [3]\nlayers:\n  - relu: {name: a}\n  - tanh: {name: b}\n"
        f"  - elu: {{name: c, from: a, {key}}}\n  - add: {{from: [b, c]}}\n"
    )
    assert graph.nodes[-1].inputs == ("b", "a")


def test_a_name_that_is_left_out_is_free() -> None:
    text = "input: [3]\nargs: {wide: true}\nlayers:\n  - linear: {name: a, units: 9, when: $wide}\n  - linear: {name: a, units: 3, when: $(not wide)}\n  - relu: {from: a}\n"
    assert [node.output.shape for node in graph_of(text).nodes] == [(9,), (9,)]
    assert [node.output.shape for node in graph_of(text, wide=False).nodes] == [(3,), (3,)]
    with pytest.raises(GraphError, match="is taken"):
        graph_of(text.replace("when: $(not wide)", "when: true"))


@pytest.mark.parametrize(
    ("item", "match"),
    [
        ("relu: {each: {in_channels: [1, 2]}, when: $(in_channels > 1)}", "cannot give 'in_channels'"),
        ("relu: {each: {index: [1, 2]}, when: $(index > 1)}", "cannot give 'index'"),
        ("relu: {each: {name: [a, b]}}", "cannot give 'name'"),
        ("relu: {each: {x: [1, 2]}, when: $(x > 0), repeat: 2}", "do not go together"),
        ("conv: {each: {filtres: [1, 2]}, filters: 3, kernel: 1}", "no option 'filtres', and no expression"),
        ("conv: {share: first, filters: 3, kernel: 1}", "E508"),
        ("relu: {trainable: false}", "relu1 has no parameters to train"),
        ("relu: {share: first}", "no parameters to share"),
        ("relu: {init: he}", "relu1 has no parameters that he draws"),
        ("batchnorm: {init: he}", "batchnorm1 has no parameters that he draws"),
        ("batchnorm: {init: normal:0.1}", "batchnorm1 has no parameters that normal:0.1 draws"),
        ("residual: {main: [relu], init: zeros}", "add1 has no parameters|has no parameters that zeros"),
    ],
)
def test_what_would_not_act_is_refused(item: str, match: str) -> None:
    with pytest.raises(GraphError, match=match):
        graph_of(f"input: [3, 4, 4]\nlayers:\n  - tanh: {{name: first}}\n  - {item}\n")


def test_trainable_is_inherited_and_the_inner_one_wins() -> None:
    graph = graph_of(
        "input: [3, 4, 4]\nblocks:\n  unit(free):\n    - conv: {filters: 3, kernel: 1}\n"
        "    - residual: {main: [{conv: {filters: 3, kernel: 1}}], trainable: $free}\n"
        "layers:\n  - unit: {free: false}\n  - unit: {free: true, trainable: false}\n"
    )
    assert [node.is_frozen for node in graph.nodes if node.params] == [False, True, True, False]
