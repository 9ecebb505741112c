"""Blocks, branches, variants, includes and shared parameters."""

from pathlib import Path

import pytest

from netcalc import load
from netcalc.analysis import analyze
from netcalc.diagnostics import GraphError, SpecError
from netcalc.graph import Graph

from helpers import graph_of, report_of

# the example of a residual network that the language was designed with
DESIGNED = """
input: [3, 224, 224]
args: {block: basic, depths: [2, 2, 2, 2], classes: 1000}
blocks:
  project(filters, stride):
    - conv: {filters: $filters, kernel: 1, stride: $stride, bias: false}
    - batchnorm
  basic(filters, stride=1):
    - residual:
        main:
          - conv: {filters: $filters, kernel: 3, stride: $stride, pad: 1, bias: false}
          - batchnorm
          - relu
          - conv: {filters: $filters, kernel: 3, pad: 1, bias: false}
          - batchnorm
        shortcut:
          - project: {filters: $filters, stride: $stride, when: $(stride > 1 or in_channels != filters)}
    - relu
  stage(filters, depth, stride):
    - $block: {filters: $filters, stride: $stride}
    - $block: {filters: $filters, repeat: $(depth - 1)}
layers:
  - conv: {filters: 64, kernel: 7, stride: 2, pad: 3, bias: false}
  - batchnorm
  - relu
  - maxpool: {kernel: 3, stride: 2, pad: 1}
  - stage: {each: {filters: [64, 128, 256, 512], depth: $depths, stride: [1, 2, 2, 2]}}
  - global_avgpool
  - linear: {units: $classes}
"""


def names(graph: Graph) -> list[str]:
    return [node.full_name for node in graph.nodes]


def test_the_designed_example_is_resnet18() -> None:
    report = analyze(graph_of(DESIGNED))
    assert (report.totals.params, report.totals.macs) == (11_689_512, 1_814_073_344)
    assert "stage2.0.main.conv1" in names(report.graph)
    assert "stage2.0.shortcut.project1.conv1" in names(report.graph)
    assert "stage1.0.shortcut.project1.conv1" not in names(report.graph)
    assert "stage4.1.add1" in names(report.graph)


def test_arguments_reach_into_blocks() -> None:
    assert graph_of(DESIGNED, depths=(3, 4, 6, 3), classes=10).nodes[-1].output.shape == (10,)
    assert analyze(graph_of(DESIGNED, depths=(3, 4, 6, 3))).totals.params == 21_797_672


def test_fields_of_the_residual_networks_after_each_stage() -> None:
    expected = {
        "resnet18": [11, 43, 99, 211, 435],
        "resnet34": [11, 59, 179, 547, 899],
        "resnet50": [11, 35, 91, 267, 427],
        "resnet101": [11, 35, 91, 811, 971],
    }
    for name, sizes in expected.items():
        rows = analyze(load(name)).rows
        ends = ["maxpool1"] + [_last(rows, f"stage{stage}") for stage in range(1, 5)]
        fields = {row.node.full_name: row.receptive_field for row in rows}
        assert [field.axes[0].size for end in ends if (field := fields[end])] == sizes


def _last(rows, stage):  # type: ignore[no-untyped-def]
    return [row.node.full_name for row in rows if row.node.path[:1] == (stage,)][-1]


def test_defaults_see_arguments_before_them_and_what_comes_in() -> None:
    graph = graph_of(
        "input: [6, 8, 8]\nargs: {growth: 2}\nblocks:\n"
        "  unit(a, b=a * growth, c=in_channels):\n"
        "    - conv: {filters: $(a + b + c), kernel: 1}\n"
        "layers:\n  - unit: {a: 1}\n  - unit: {a: 1, c: 0}\n  - unit: {a: $in_channels, b: 1}\n"
    )
    assert [node.output.shape[0] for node in graph.nodes] == [9, 3, 7]


def test_names_resolve_from_the_inside_out() -> None:
    graph = graph_of(
        "input: [4, 8, 8]\nblocks:\n"
        "  inner():\n    - relu: {name: a}\n    - tanh: {from: a}\n    - add: {from: [a, input, outside]}\n"
        "layers:\n  - sigmoid: {name: outside}\n  - sigmoid: {name: a}\n  - inner: {name: b}\n"
        "  - add: {name: last, from: [b, b.a, a]}\n"
    )
    wiring = {node.full_name: node.inputs for node in graph.nodes}
    assert wiring["b.tanh1"] == ("b.a",)
    assert wiring["b.add1"] == ("b.a", "a", "outside")
    assert wiring["last"] == ("b.add1", "b.a", "a")


def test_a_skip_connection_by_a_path_or_by_an_argument() -> None:
    graph = graph_of(
        "input: [4, 8, 8]\nblocks:\n"
        "  down(filters):\n    - conv: {name: features, filters: $filters, kernel: 3, pad: 1}\n    - maxpool: {kernel: 2}\n"
        "  up(filters, skip):\n    - conv_transpose: {filters: $filters, kernel: 2, stride: 2}\n"
        "    - concat: {from: [conv_transpose1, $skip]}\n"
        "layers:\n  - down: {each: {filters: [8, 16]}}\n  - up: {filters: 8, skip: down2.features}\n"
        "  - up: {filters: 8, skip: down1.features}\n"
    )
    assert graph.nodes[-1].inputs == ("up2.conv_transpose1", "down1.features")
    assert graph.nodes[-1].output.shape == (16, 8, 8)


def test_branches_side_by_side() -> None:
    graph = graph_of(
        "input: [4, 8, 8]\nlayers:\n"
        "  - parallel:\n      branches:\n        one: [{conv: {filters: 2, kernel: 1}}]\n        none: []\n        deep: [relu, tanh]\n"
        "  - parallel: {name: gate, branches: {main: [], scale: [{global_avgpool: {keep: true}}, sigmoid]}, join: multiply}\n"
        "  - parallel: {branches: {one: [relu], two: []}, split: true}\n"
    )
    assert names(graph) == [
        "one.conv1", "deep.relu1", "deep.tanh1", "concat1", "gate.scale.global_avgpool1", "gate.scale.sigmoid1", "gate",
        "slice1", "one2.relu1", "slice2", "concat2",
    ]  # fmt: skip
    shapes = {node.full_name: node.output.shape[0] for node in graph.nodes}
    assert (shapes["concat1"], shapes["gate"], shapes["slice1"], shapes["concat2"]) == (10, 10, 5, 10)
    assert graph.nodes[3].inputs == ("one.conv1", "input", "deep.tanh1")


def test_residual_with_and_without_its_shortcut() -> None:
    text = "input: [4]\nargs: {on: true}\nlayers:\n  - residual: {main: [relu], connect: $on}\n  - residual: {main: [tanh]}\n"
    assert names(graph_of(text)) == ["main.relu1", "add1", "main2.tanh1", "add2"]
    assert names(graph_of(text, on=False)) == ["main.relu1", "main2.tanh1", "add1"]


def test_blocks_chosen_by_an_argument_are_numbered_and_layers_named() -> None:
    graph = graph_of(
        "input: [4]\nargs: {act: tanh, unit: small}\nblocks:\n  small():\n    - $act\n"
        "layers:\n  - $unit\n  - $unit: {repeat: 2}\n  - $act\n  - small\n"
    )
    assert names(graph) == ["0.tanh1", "1.tanh1", "2.tanh1", "tanh1", "small1.tanh1"]


def test_rows_of_a_papers_table() -> None:
    graph = graph_of(
        "input: [3, 16, 16]\nargs: {table: [[8, 3, 1, relu], [16, 5, 2, tanh]]}\nblocks:\n"
        "  unit(filters, kernel, stride, act):\n"
        "    - conv: {filters: $filters, kernel: $kernel, stride: $stride, pad: same}\n    - $act\n"
        "layers:\n  - unit: {each: {filters kernel stride act: $table}}\n"
    )
    assert [(node.full_name, node.output.shape) for node in graph.nodes] == [
        ("unit1.conv1", (8, 16, 16)),
        ("unit1.relu1", (8, 16, 16)),
        ("unit2.conv1", (16, 8, 8)),
        ("unit2.tanh1", (16, 8, 8)),
    ]


def test_shared_parameters_are_counted_once() -> None:
    once = "input: [32]\nlayers:\n  - linear: {name: fc, units: 32}\n"
    thrice = once + "  - linear: {units: 32, share: fc, repeat: 2}\n"
    assert (report_of(once).totals.params, report_of(once).totals.macs) == (1_056, 1_024)
    # others triple one of the two
    assert (report_of(thrice).totals.params, report_of(thrice).totals.macs) == (1_056, 3_072)
    tied = (
        "input: [32]\nlayers:\n  - linear: {name: a, units: 32, bias: false}\n"
        "  - linear: {units: 32, bias: false, share: a}\n"
    )
    assert (report_of(tied).totals.params, report_of(tied).totals.macs) == (1_024, 2_048)


def test_a_variant_changes_arguments_input_and_expectations(tmp_path: Path) -> None:
    path = tmp_path / "family.yaml"
    path.write_text(
        "name: Family\ninput: [3, 8, 8]\nargs: {filters: 4}\nvariants:\n"
        "  wide: {filters: 8, expect: {params: 32}}\n  large: {input: [1, 16, 16], name: Large}\n"
        "expect: {params: 16}\nlayers:\n  - conv: {filters: $filters, kernel: 1}\n"
    )
    plain, wide, large = load(path), load(path, variant="wide"), load(path, variant="large")
    assert [graph.name for graph in (plain, wide, large)] == ["Family", "wide", "Large"]
    assert [graph.nodes[0].output.shape for graph in (plain, wide, large)] == [
        (4, 8, 8),
        (8, 8, 8),
        (4, 16, 16),
    ]
    assert [graph.expect for graph in (plain, wide, large)] == [{"params": 16}, {"params": 32}, {}]
    assert load(path, variant="wide", args={"filters": 6}).nodes[0].output.shape == (6, 8, 8)
    with pytest.raises(SpecError, match="no variant 'wid'"):
        load(path, variant="wid")


def test_blocks_from_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "units.yaml").write_text("blocks:\n  unit(n):\n    - linear: {units: $n}\n")
    spec = tmp_path / "net.yaml"
    spec.write_text("include: [parts/units.yaml]\ninput: [3]\nlayers:\n  - unit: {n: 5}\n")
    assert load(spec).nodes[0].output.shape == (5,)


@pytest.mark.parametrize(
    "name", ["../secret.yaml", "/etc/passwd", "parts/../../secret.yaml", "link.yaml", "a\0b"]
)
def test_no_file_outside_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.yaml").write_text("blocks:\n  unit():\n    - relu\n")
    folder = tmp_path / "folder"
    (folder / "parts").mkdir(parents=True)
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    spec = folder / "net.yaml"
    spec.write_text(f'include: "{name}"\ninput: [3]\nlayers:\n  - unit\n'.replace("\0", "\\0"))
    with pytest.raises(SpecError, match="E206"):
        load(spec)


def test_mistakes_in_an_included_file_have_their_place(tmp_path: Path) -> None:
    (tmp_path / "units.yaml").write_text("blocks:\n  unit():\n    - cnov\n")
    spec = tmp_path / "net.yaml"
    spec.write_text("include: units.yaml\ninput: [3]\nlayers:\n  - unit\n")
    with pytest.raises(GraphError, match=r"units.yaml:3:7.*cnov"):
        load(spec)
    (tmp_path / "units.yaml").write_text("layers:\n  - relu\n")
    with pytest.raises(SpecError, match="blocks: alone"):
        load(spec)


def test_half_a_million_layers_are_refused() -> None:
    text = "input: [3]\nblocks:\n  ten():\n    - relu: {repeat: 1000}\nlayers:\n  - ten: {repeat: 500}\n"
    with pytest.raises(GraphError, match="more than 30,000 layers"):
        graph_of(text)


def test_a_block_may_use_itself_while_a_condition_holds() -> None:
    graph = graph_of(
        "input: [3]\nblocks:\n  tree(n):\n    - relu\n    - tree: {n: $(n - 1), when: $(n > 1)}\nlayers:\n  - tree: {n: 5}\n"
    )
    assert len(graph.nodes) == 5
    assert names(graph)[-1] == "tree1.tree1.tree1.tree1.tree1.relu1"


def test_what_a_row_reads_is_what_its_expressions_ask_about() -> None:
    graph = graph_of(
        "input: [3, 4, 4]\nlayers:\n  - relu: {name: a}\n  - conv: {name: b, filters: 5, kernel: 1}\n"
        "  - conv: {each: {src: [a, b]}, from: $src, filters: $in_channels, kernel: 1, when: $(in_channels > 1)}\n"
    )
    assert [(node.inputs, node.output.shape[0]) for node in graph.nodes[2:]] == [(("a",), 3), (("b",), 5)]


@pytest.mark.parametrize(
    ("layers", "code"),
    [
        ("  - linear: {units: 3}\n  - relu: {from: typo, when: $(in_channels == 3)}\n", "E501"),
        ("  - relu: {when: false}\n", "E202"),
        ("  - relu: {name: a}\n  - relu: {repeat: $in_channels, from: '$([0][index])'}\n", "E302"),
    ],
)
def test_no_layer_is_lost_without_a_word(layers: str, code: str) -> None:
    with pytest.raises(GraphError, match=code):
        graph_of(f"input: [3]\nlayers:\n{layers}")


def test_keywords_are_no_arguments() -> None:
    with pytest.raises(GraphError, match="E702"):
        graph_of("input: [3]\nargs: {lambda: 3}\nlayers:\n  - relu\n")


def test_an_output_that_is_left_out_is_none() -> None:
    text = (
        "input: [4]\nargs: {aux: false}\nlayers:\n  - linear: {name: body, units: 3}\n"
        "  - linear: {name: side, units: 2, when: $aux}\n  - linear: {name: head, units: 5, from: body}\n"
        "outputs: [side, head]\n"
    )
    assert graph_of(text).outputs == ("head",)
    assert graph_of(text.replace("false", "true")).outputs == ("side", "head")
    assert graph_of(text.replace("[side, head]", "side")).outputs == ("body",)
