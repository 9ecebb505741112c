"""`netcalc show NAME > mine.yaml` gives NAME: the same layers, the same figures, in one file."""

import json
from pathlib import Path

import pytest

import netcalc
from netcalc.diagnostics import SpecError
from netcalc.graph import Graph, elaborate
from netcalc.render.table.json import json_chunks
from netcalc.spec import bundled_files, bundled_names, find_spec, read_spec
from netcalc.spec.library import NamedSpec, Source
from netcalc.spec.standalone import standalone_text


def comparable(graph: Graph) -> object:
    """Everything that a graph says, places in the text aside."""
    return {
        **{
            key: value
            for key, value in vars(graph).items()
            if key not in ("nodes", "expected_at", "budget", "ignored")
        },
        "nodes": [
            node._replace(span=None, ignored=[rule.code for rule in node.ignored]) for node in graph.nodes
        ],
        "budget": {key: limit._replace(span=None) for key, limit in graph.budget.items()},
        "ignored": [rule.code for rule in graph.ignored],
    }


def shown(name: str, folder: Path) -> str:
    """What `show` writes, in a folder with nothing beside it."""
    text = standalone_text(find_spec(name))
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return text


@pytest.mark.parametrize("name", bundled_names())
def test_a_bundled_architecture_comes_back(name: str, tmp_path: Path) -> None:
    text = shown(name, tmp_path)
    mine, theirs = netcalc.load(tmp_path / "mine.yaml"), netcalc.load(name)
    mine.types, theirs.types  # noqa: B018 cached in both, or in neither
    assert comparable(mine) == comparable(theirs)
    assert "variants:" not in text
    assert "include:" not in text
    assert "\n\n\n" not in text
    assert standalone_text(find_spec(tmp_path / "mine.yaml")) == text


@pytest.mark.parametrize("family", sorted(set(bundled_files()) - set(bundled_names())))
def test_a_family_comes_back_with_its_variants(family: str, tmp_path: Path) -> None:
    shown(family, tmp_path)
    bundled = read_spec(find_spec(family).source)
    for variant in bundled.variants:
        mine = netcalc.load(tmp_path / "mine.yaml", variant=variant)
        assert comparable(mine) == comparable(netcalc.load(variant))


FAMILY = """\
# about the whole
name: Family
inputs: {a: [3, 8, 8]}   # its input
args:
  # how wide
  width: 4
  depths:            # a list of lines
    - 1
    - 2

  last: relu
ignore: N101
variants:
  # the small one
  small:
    width: 2
    depths:
      - 3
      - 4
    input: [1, 8, 8]
    ignore: [N102, N103]
    expect: {params: 38,
             macs: 2}
  plain: {name: A name of its own}
# what it is made of
layers:
  - conv: {filters: $width, kernel: 3, repeat: "$(sum(depths))"}
  - $last"""


def test_a_file_of_ones_own() -> None:
    source = Source("family.yaml", FAMILY)
    text = standalone_text(NamedSpec(source, "small"))
    assert text == (
        "# about the whole\nname: small\nargs:\n  # how wide\n  width: 2\n"
        "  depths: [3, 4]\n\n  last: relu\nignore: [N101, N102, N103]\n"
        "input: [1, 8, 8]\nexpect: {params: 38, macs: 2}\n\n# what it is made of\nlayers:\n"
        '  - conv: {filters: $width, kernel: 3, repeat: "$(sum(depths))"}\n  - $last\n'
    )
    assert "name: A name of its own\n" in standalone_text(NamedSpec(source, "plain"))
    assert standalone_text(NamedSpec(source)) == FAMILY


def test_blocks_of_other_files_are_written_in(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        "blocks:\n    # of the one\n    unit:\n        - relu\n    other(n=1): [sigmoid]\n"
    )
    (tmp_path / "two.yaml").write_text("blocks: \n  unit:\n  - tanh\n  own: [gelu]\n")
    head = "input: [3]\ninclude: [one.yaml, two.yaml]\n"
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"{head}blocks:\n   own(k=2):\n     - linear: {{units: $k}}\nlayers: [unit, other, own]\n"
    )
    text = standalone_text(find_spec(path))
    assert text == (
        "input: [3]\n\nblocks:\n    unit:\n    - tanh\n    other(n=1): [sigmoid]\n    own(k=2):\n      - linear: {units: $k}\n"
        "\nlayers: [unit, other, own]\n"
    )
    assert elaborate(read_spec(Source("mine", text))).nodes[0].layer.kind == "tanh"
    path.write_text(f"{head}layers: [unit, other]\n")
    assert "other(n=1)" in standalone_text(find_spec(path))


def same(path: Path, variant: str | None = None) -> str:
    """What `show` writes of a file, which reads back to the same network."""
    found = find_spec(path)
    text = standalone_text(found._replace(variant=variant))
    mine, theirs = elaborate(read_spec(Source("mine.yaml", text))), netcalc.load(path, variant=variant)
    assert comparable(mine) == comparable(theirs)
    assert mine.name == theirs.name
    return text


@pytest.mark.parametrize("variant", ["1.10", "x # y", "a: b", "null", "- v", "[v]", "true"])
def test_a_variant_may_have_any_name(tmp_path: Path, variant: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"name: F\ninput: [3]\nargs: {{w: 4}}\nvariants:\n  {json.dumps(variant)}: {{w: 2}}\nlayers: [linear: $w]\n"
    )
    same(path, variant)


@pytest.mark.parametrize(
    "value",
    ["\n      - $(min(5, 2))\n      - 3", "\n      - $([4, 5][1])\n      - 3", "[$w, 'a, b']", "[3, \"#\"]", "\n    - |\n      3\n    - >-\n      a\n      b"],
)  # fmt: skip
def test_an_argument_may_be_written_in_any_style(tmp_path: Path, value: str) -> None:
    path = tmp_path / "spec.yaml"
    head = f"name: F\ninput: [3]\nargs:\n  w: 4\n  d: [1]\nvariants:\n  v:\n    d: {value}\n"
    path.write_text(
        f"{head}layers:\n  - linear: $(d[0] if d[0] != '3\\n' else 7)\n  - linear: $(len(d) + w)\n"
    )
    same(path, "v")


@pytest.mark.parametrize(
    "included",
    [
        "blocks:\n  v:\n    - relu\n    # inner\n# col0\n  w: [tanh]\n",
        "blocks:\n  v:\n    - linear: {units: 3,\n   bias: false}\n  w: [relu]",
        "---\nblocks:\n  v: [relu]\n  w:\n    - tanh\n...\n",
        "# head\nblocks:\n      # v\n      v: [relu]\n      w: [\n  tanh\n ]\n# foot\n",
    ],
)
@pytest.mark.parametrize("own", ["", "blocks:\n  w: [sigmoid]\n  # of u\n  u:\n    - relu\n# foot\n"])
def test_an_included_file_may_be_written_in_any_style(tmp_path: Path, included: str, own: str) -> None:
    (tmp_path / "k.yaml").write_text(included)
    path = tmp_path / "spec.yaml"
    path.write_text(f"name: q\ninput: [3]\ninclude: k.yaml\n{own}layers: [v, w]\n")
    same(path)


def test_nothing_included(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("name: q\ninput: [3]\ninclude: []\nlayers: [relu]\n")
    assert same(path) == "name: q\ninput: [3]\n\nlayers: [relu]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{name: x, input: [3], args: {a: 1}, variants: {v: {a: 2}}, layers: [relu]}", "braces cannot be rewritten"),
        ("input: [3]\nargs: {a: &n 1, b: *n}\nvariants: {v: {b: 2}}\nlayers: [relu]\n", "an alias cannot"),
        ("input: [3]\nargs:\n  w: &W 3\nvariants: {v: {w: 2}}\nlayers:\n  - linear: *W\n",
         r"s.yaml:4:1: .*this cannot be written in one text: the alias \*W has no anchor before it"),
        ("input: [3]\nvariants: {v: {}}\nlayers: relu\n", "layers: is a list"),
        ("input: [3]\nlayers: [relu]\n", "has no variant 'v'"),
    ],
)  # fmt: skip
def test_what_cannot_be_rewritten_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        standalone_text(NamedSpec(Source("s.yaml", text), "v"))


def test_json_is_the_same_to_the_byte(tmp_path: Path) -> None:
    shown("resnet18", tmp_path)
    mine, theirs = (netcalc.analyze(netcalc.load(spec)) for spec in (tmp_path / "mine.yaml", "resnet18"))
    assert "".join(json_chunks(mine, "")) == "".join(json_chunks(theirs, ""))
