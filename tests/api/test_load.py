"""What `load` takes: a path, a name, YAML text, a mapping; and what it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.spec.mapping import mapping_source

from helpers import TESTS

TEXT = """
name: Small net
input: [3, 8, 8]
args: {width: 4, sizes: [3, 5], scale: 0.5}
variants:
  wide: {width: 8, expect: {params: 1}}
blocks:
  stage(filters, stride=1, word='null'):
    - conv: {filters: $filters, kernel: 3, stride: $stride}
    - relu: {when: $(word == 'null')}
layers:
  - stage: {filters: $(2 * width), name: first}
  - parallel: {branches: {left: [identity], right: [{conv: {filters: 4, kernel: 1}}, relu]}, join: concat}
  - flatten
  - linear: {units: "$(sizes[-1])", bias: false}
"""
MAPPING = {
    "name": "Small net",
    "input": (3, 8, np.int64(8)),
    "args": {"width": 4, "sizes": [3, 5], "scale": np.float32(0.5)},
    "variants": {"wide": {"width": 8, "expect": {"params": 1}}},
    "blocks": {
        "stage(filters, stride=1, word='null')": [
            {"conv": {"filters": "$filters", "kernel": 3, "stride": "$stride"}},
            {"relu": {"when": "$(word == 'null')"}},
        ]
    },
    "layers": [
        {"stage": {"filters": "$(2 * width)", "name": "first"}},
        {
            "parallel": {
                "branches": {"left": ["identity"], "right": [{"conv": {"filters": 4, "kernel": 1}}, "relu"]},
                "join": "concat",
            }
        },
        "flatten",
        {"linear": {"units": "$(sizes[-1])", "bias": False}},
    ],
}


def nodes(graph: netcalc.Graph) -> list[Any]:
    """The nodes without their places in the text."""
    return [node._replace(span=None) for node in graph.nodes]


@pytest.mark.parametrize("options", [{}, {"variant": "wide"}, {"args": {"width": 2}}, {"input": 10}])
def test_four_forms_of_one_spec(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(TEXT)
    graphs = [netcalc.load(spec, **options) for spec in (path, str(path), TEXT, MAPPING)]
    assert all(nodes(graph) == nodes(graphs[0]) for graph in graphs)
    assert len({graph.name for graph in graphs}) == 1
    name = netcalc.load("resnet18")
    assert nodes(name) == nodes(netcalc.load(Path("resnet18")))


def test_a_word_stays_a_word() -> None:
    """`null`, `true` and `1` of a mapping are the words that they are in quotes in YAML."""
    for word in ("null", "true", "1", "~", "", "a: b", "# c", "- d", "[e", "'f", '"g', "ü", "h\ni"):
        spec = {
            "input": [3],
            "args": {"word": word},
            "layers": [{"relu": {"when": "$(len(word) > 99)"}}, "gelu"],
        }
        assert [node.layer.kind for node in netcalc.load(spec).nodes] == ["gelu"]


def test_how_text_is_told_from_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(netcalc.load("{input: [3], layers: [relu]}").nodes) == 1
    Path("lenet5").write_text("input: [3]\nlayers: [relu]\n")
    assert len(netcalc.load("lenet5").nodes) == 1  # an existing file wins
    Path("{a}").write_text("input: [3]\nlayers: [relu]\n")
    assert len(netcalc.load(Path("{a}")).nodes) == 1
    with pytest.raises(
        netcalc.SpecError, match="there is no file 'input: '.*\n.*a text of YAML has a line break"
    ):
        netcalc.load("input: ")
    assert len(netcalc.load("\ufeff{input: [3], layers: [relu]}").nodes) == 1
    with pytest.raises(netcalc.SpecError, match="there is no file '-'"):  # no standard input in Python
        netcalc.load("-")
    Path("-").write_text("input: [3]\nlayers: [relu]\n")
    assert len(netcalc.load("-").nodes) == len(netcalc.load(Path("-")).nodes) == 1


@pytest.mark.parametrize("path", sorted((TESTS / "first_specs").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_mapping_is_the_spec_that_yaml_reads(path: Path) -> None:
    import yaml

    mapping = yaml.safe_load(path.read_text())
    assert nodes(netcalc.load(mapping)) == nodes(netcalc.load(path))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"input": [3], "layers": [{"linear": {"unts": 4}}]}, r"<mapping>: layers\[0\]\.linear\.unts: error\[E402\]"),
        ({"input": [3], "layers": ["relu", "rel"]}, r"<mapping>: layers\[1\]: error\[E401\]"),
        ({"input": [3], "layer": []}, r"<mapping>: layer: error\[E201\]"),
        ({"input": [3], "args": {"n": "$(1 +)"}, "layers": ["relu"]}, r"<mapping>: args\.n: error\[E301\]"),
        ({"input": [float("inf")], "layers": ["relu"]}, r"<mapping>: input\[0\]: error\[E109\]"),
        ({"input": [float("-nan")], "layers": ["relu"]}, r"<mapping>: input\[0\]: error\[E109\]"),
        ({}, r"<mapping>: error\[E104\]: the text is empty"),
        ({"input": [3], "layers": [{"include": "x.yaml"}]}, r"<mapping>: layers\[0\]"),
        ({"include": "x.yaml", "input": [3], "layers": ["relu"]}, "E206"),
        ("input: [3]\nlayers: [rel]\n", r"<text>:2:10: error\[E401\]"),
        ("{}\n", "E20"),
        ("- 1\n", "a spec is a mapping"),
        ("no-such-network", "E103"),
        ("input: [3]\nlayers: [{}]\n".format("\ud800"), r"<text>:2:10: error\[E102\]: U\+D800 is half of a character"),
        ({"input": [3], "layers": ["a\udc00"]}, r"<mapping>: layers\[0\]: error\[E102\]"),
    ],
)  # fmt: skip
def test_a_mistake_has_a_place(spec: Any, words: str) -> None:
    with pytest.raises(netcalc.NetcalcError, match=words):
        netcalc.load(spec)
    assert netcalc.check(spec).ok is False


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        (3, TypeError, "a spec is a path, the name of a bundled architecture, YAML text or a mapping, not int"),
        (None, TypeError, "not NoneType"),
        (b"alexnet", TypeError, "not bytes"),
        ({1: 2}, TypeError, "the key 1 is no word"),
        ({"input": {2: 3}}, TypeError, "the key 2 in input is no word"),
        ({"input": [3], "layers": [{"linear": object()}]}, TypeError, r"layers\[0\]\.linear: a spec holds .* not object"),
        ({"input": np.array([3])}, TypeError, "input: a spec holds .* not numpy.ndarray"),
        ({"input": {3, 4}}, TypeError, "input: a spec holds .* not set"),
    ],
)  # fmt: skip
def test_what_is_no_spec(spec: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        netcalc.load(spec)


def test_a_mapping_within_itself_and_one_of_many_values() -> None:
    inside: list[Any] = []
    inside.append(inside)
    for value in (inside, [[0] * 100_000] * 5):
        with pytest.raises(netcalc.SpecError, match="E109"):
            netcalc.load({"input": [3], "layers": value})


def test_every_place_of_a_mapping_has_its_path() -> None:
    source = mapping_source(MAPPING)
    paths = {
        "wide": "variants.wide",
        "stage: {": "layers[0].stage",
        "branches": "layers[1].parallel.branches",
        "identity": "layers[1].parallel.branches.left[0]",
        "flatten": "layers[2]",
        "units": "layers[3].linear.units",
        '"$(2 * width)': "layers[0].stage.filters",
    }
    for text, path in paths.items():
        assert source.place(source.text.index(text)) == f"<mapping>: {path}"
    assert source.place(0) == "<mapping>: name"


def test_load_sets_arguments_and_inputs(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        "inputs: {a: [4], b: [$n]}\nargs: {n: 2, sizes: [3, 5]}\nlayers:\n"
        "  - linear: {name: one, from: a, units: '$(sizes[-1])'}\n"
        "  - linear: {name: two, from: b, units: 7}\n  - concat: {from: [one, two]}\n"
    )
    graph = netcalc.load(path, args={"n": 6, "sizes": [3, 11]})
    assert graph.nodes[-1].output.shape == (18,)
    assert [given.type.shape for given in graph.inputs] == [(4,), (6,)]
    assert netcalc.load(path, input={"b": (9,)}).types["b"].shape == (9,)
    assert netcalc.load(path, input={"a": 3, "b": [9]}).types["a"].shape == (3,)


@pytest.mark.parametrize("input", [224, (224, 224), [3, 224, 224], {"input": 224}, np.array([224, 224])])
def test_a_number_keeps_the_channels(input: Any) -> None:
    assert netcalc.load("alexnet", input=input).types["input"].shape == (3, 224, 224)


@pytest.mark.parametrize(
    "input",
    [
        0,
        (),
        (3, 0, 0),
        (3, 2.5),
        "3x224x224",
        2.5,
        {"input": -1},
        True,
        [3, True],
        b"abc",
        bytearray(b"a"),
        {1, 2},
    ],
)
def test_a_wrong_size(input: Any) -> None:
    with pytest.raises(ValueError, match="sizes are whole numbers from 1 up"):
        netcalc.load("alexnet", input=input)


def test_wrong_settings() -> None:
    with pytest.raises(netcalc.NetcalcError, match="no argument 'width'"):
        netcalc.load("alexnet", args={"width": 2})
    with pytest.raises(netcalc.SpecError, match="E804.*idle changes nothing"):
        netcalc.load("input: [3]\nargs: {idle: 1}\nlayers: [relu]\n", args={"idle": 2})
    with pytest.raises(TypeError, match="args is a mapping"):
        netcalc.load("alexnet", args=[1])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the argument width is a number, a word or a list, not object"):
        netcalc.load("mobilenet_v2", args={"width": object()})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="unexpected keyword argument 'width'"):
        netcalc.load("mobilenet_v2", width=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="the name of an argument of args is a string, not int"):
        netcalc.load("alexnet", args={1: 2})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="variant is a string, not int"):
        netcalc.load("resnet", variant=18)  # type: ignore[arg-type]
    with pytest.raises(netcalc.NetcalcError, match="no variant 'wid'"):
        netcalc.load(TEXT, variant="wid")


FUNCTIONS: dict[str, Callable[..., object]] = {
    "analyze": netcalc.analyze,
    "check": netcalc.check,
    "memory": netcalc.memory,
    "roofline": lambda model, **options: netcalc.roofline(model, "a100", **options),
    "compare": lambda model, **options: netcalc.compare(model, model, **options),
    "explain": lambda model, **options: netcalc.explain(model, "conv1", **options),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_what_load_takes_and_a_graph_without_settings(name: str) -> None:
    function, graph = FUNCTIONS[name], netcalc.load("lenet5")
    assert str(function(graph)) == str(function("lenet5"))
    assert str(function(graph)) != str(function("lenet5", input=30))
    for option, value in (("input", 30), ("variant", "x"), ("args", {})):
        with pytest.raises(ValueError, match=f"LeNet-5 is a graph already; {option} is for a spec"):
            function(graph, **{option: value})


def test_figures_are_expected_of_a_spec_as_it_is_written() -> None:
    text = "input: [8]\nargs: {units: 4}\nexpect: {params: 36}\nlayers:\n  - linear: $units\n"
    assert netcalc.load(text).expect == {"params": 36}
    assert netcalc.check(netcalc.load(text)).to_dict()["specs"][0]["figures"]
    changed = netcalc.load(text, args={"units": 5})
    assert changed.expect is None
    for found in (netcalc.check(changed), netcalc.check(text, args={"units": 5})):
        assert not found.to_dict()["specs"][0]["figures"]
    idle = netcalc.check(text.replace("args: {", "args: {idle: 1, "), args={"idle": 2})
    assert [each.code for each in idle.findings if each.severity == "warning"] == ["E804"]


def test_an_error_tells_its_places() -> None:
    with pytest.raises(netcalc.SpecError, match="E103") as caught:
        netcalc.load("no-such-network")
    assert caught.value.diagnostics[0].code == "E103"


def test_the_graph_answers() -> None:
    graph = netcalc.load("alexnet")
    assert graph.node("conv1").output.shape == (64, 56, 56)
    assert graph.types["fc8"].shape == (1000,)
    assert graph.outputs == ("fc8",)
    with pytest.raises(KeyError, match="conv9"):
        graph.node("conv9")
