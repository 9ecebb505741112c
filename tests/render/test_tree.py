"""The tree of blocks, and shares of the whole network."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

import netcalc
from netcalc.analysis import Report, analyze, total
from netcalc.graph import Graph
from netcalc.render.csv import csv_chunks
from netcalc.render.latex import latex_chunks
from netcalc.render.markdown import markdown_chunks
from netcalc.render.table.cells import shown_table
from netcalc.render.table.json import json_chunks
from netcalc.render.table.lines import TableView, lines, totals
from netcalc.render.table.tabular import exact_table, shown_as_table
from netcalc.render.table.text import table_lines
from netcalc.render.table.tree import Module, flattened, module_tree
from netcalc.render.terminal import Terminal

from helpers import graph_of, printed_table, report_of
from random_graphs import random_graph

Cli = Callable[..., Any]

TWINS = """
name: Twins
inputs: {left: [3, 32, 32], right: [3, 32, 32]}
blocks:
  cell(filters):
    - conv: {filters: $filters, kernel: 3, pad: same}
    - batchnorm
    - relu
  tower(filters):
    - conv: {name: stem, filters: $filters, kernel: 3, stride: 2, pad: 1}
    - cell: {name: cells, repeat: 4, filters: $filters}
    - global_avgpool
    - linear: 64
layers:
  - tower: {name: a, from: left, filters: 32, trainable: false}
  - tower: {name: b, from: right, share: a}
  - concat: {from: [a, b]}
  - linear: {name: head, units: 10}
  - linear: {name: other, from: a, units: 5}
outputs: [head, other]
"""

DRAWN = """\
                                                                                 params        mult-adds
layer                       kind            params of             output         (k)     %       (M)     %
──────────────────────────────────────────────────────────────────────────────────────────────────────────
a                           block                                 64            (40)  96.1        10  50.0
├─ stem                     conv                                  32x16x16     (0.9)   2.1      0.22   1.1
├─ cells                    block                                 32x16x16      (37)  89.0       9.4  48.8
│  ├─ 0                     block                                 32x16x16     (9.3)  22.2       2.4  12.2
│  │  ├─ conv1              conv                                  32x16x16     (9.2)  22.1       2.4  12.2
│  │  └─ batchnorm1 + relu  batchnorm                             32x16x16   (0.064)   0.2         0
│  └─ 1-3                   like 0                                32x16x16      (28)  66.7       7.1  36.6
"""


def tree_of(report: Report, **view: Any) -> list[Module]:
    """All modules of a report's tree, each above those that it holds."""
    return [module for _, module in flattened(module_tree(report, TableView(tree=True, **view)))]


def table_of(text: str) -> list[str]:
    """The lines of the table alone, without heading and footer."""
    printed = text.splitlines()
    rules = [number for number, line in enumerate(printed) if line.startswith("──")]
    return printed[rules[0] - 2 : rules[-1] + 2]


NETWORKS = [
    *(random_graph(seed) for seed in range(0, 60, 2)),
    graph_of(TWINS),
    *map(netcalc.load, ("resnet18", "densenet121", "googlenet", "gpt2_small", "vit_b_16")),
]


@pytest.mark.parametrize("graph", NETWORKS, ids=lambda graph: graph.name)
def test_figures_of_the_tree_add_up(graph: Graph) -> None:
    """A block has what its layers have, and the outermost modules what the table has, at every depth."""
    report = analyze(graph, convention="flops")
    deepest = max(len(node.path) for node in graph.nodes)
    for every_layer in (False, True):
        whole = totals(lines(report, TableView(every_layer=every_layer)))
        for depth in (None, *range(1, deepest + 2)):
            view = TableView(every_layer, depth, tree=True)
            modules = module_tree(report, view)
            assert total(module.line.figures for module in modules) == whole
            assert whole == totals(lines(report, view))
            for _, module in flattened(modules):
                if module.children:
                    assert module.line.figures == total(child.line.figures for child in module.children)
                assert depth is None or len(module.line.block) <= depth


@pytest.mark.parametrize("graph", NETWORKS[-6:], ids=lambda graph: graph.name)
def test_each_layer_is_in_the_tree_once(graph: Graph) -> None:
    report = analyze(graph)
    for every_layer in (False, True):
        modules = tree_of(report, every_layer=every_layer)
        leaves = [module for module in modules if not module.children]
        names = [row.node.full_name for module in leaves for row in module.line.rows]
        assert names == [node.full_name for node in graph.nodes]
    assert not any(module.like or module.line.times > 1 for module in modules)


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [  # as torchvision's modules and torchinfo's rows have them
        (
            "resnet18",
            {"stem": 9_536, "stage1": 147_968, "stage1.0": 73_984, "stage2": 525_568, "stage2.0": 230_144,
             "stage2.0.shortcut": 8_448, "stage3": 2_099_712, "stage4": 8_393_728, "fc": 513_000},
            {"stem.conv1": 118_013_952, "stage1": 462_422_016, "stage4": 411_041_792, "fc": 512_000},
        ),
        (
            "vit_b_16",
            {"patches": 590_592, "encoder1": 7_087_872, "encoder1.main.attention": 2_362_368,
             "encoder1.main2.mlp": 4_722_432, "encoder2": 11 * 7_087_872, "head": 769_000},
            {"patches": 115_605_504, "encoder1.main2.mlp": 2 * 197 * 768 * 3072},
        ),
        (
            "googlenet",
            {"conv1": 9_536, "3a": 155_872, "3a.1x1": 12_416, "3a.3x3": 129_472, "5b": 1_347_040},
            {"3a.1x1": 192 * 64 * 28 * 28, "fc": 1_024_000},
        ),
        (
            "gpt2_small",
            {"token_embedding": 38_597_376, "decoder1": 7_087_872, "decoder2": 11 * 7_087_872, "head": 0},
            {"decoder1.main2.mlp": 2 * 1024 * 768 * 3072, "head": 1024 * 768 * 50_257},
        ),
    ],
)  # fmt: skip
def test_blocks_have_the_figures_of_other_tools(
    name: str, params: dict[str, int], macs: dict[str, int]
) -> None:
    found = {module.line.name: module.line.figures for module in tree_of(analyze(netcalc.load(name)))}
    assert {name: found[name].params for name in params} == params
    assert {name: found[name].macs for name in macs} == macs


def test_the_drawn_tree() -> None:
    drawn = printed_table(report_of(TWINS), tree=True)
    assert "\n".join(table_of(drawn)).startswith(DRAWN)
    assert "params in parentheses are frozen; shared params are counted once" in drawn
    assert "41,871 params (1,615 trainable, 40,256 frozen)" in drawn


def test_a_twin_says_whose_parameters_it_uses() -> None:
    rows = {
        line.split()[0]: line.split()
        for line in table_of(printed_table(report_of(TWINS), depth=1, tree=True))
    }
    assert rows["b"] == ["b", "block", "a", "64", "shared", "10", "50.0"]
    assert rows["a"] == ["a", "block", "64", "(40)", "96.1", "10", "50.0"]
    folded = [line.split()[0] for line in table_of(printed_table(report_of(TWINS), depth=1))]
    assert folded[3:5] == ["a", "b"]  # they have not the same figures, so they are not one line


@pytest.mark.parametrize("name", ["resnet50", "gpt2_small", "vit_b_16", "googlenet", "densenet121"])
def test_the_tree_keeps_the_width(name: str) -> None:
    report = analyze(netcalc.load(name))
    for width in (60, 80, 100, 160):
        for view in ({"tree": True}, {"tree": True, "depth": 1}):
            assert max(map(len, table_of(printed_table(report, width, **view)))) <= width


def test_a_narrow_tree_does_without_kinds() -> None:
    drawn = printed_table(analyze(netcalc.load("gpt2_small")), 60, tree=True)
    assert "│ │ │ └ gelu1 " in drawn
    assert "decoder2-12 (same) " in drawn
    assert "not shown at 60 columns: params of, kind" in drawn
    kept = printed_table(analyze(netcalc.load("gpt2_small")), 60, tree=True, wanted=("+kind",))
    assert "like decoder1" in kept
    chosen = printed_table(analyze(netcalc.load("gpt2_small")), tree=True, wanted=("params",))
    assert "\ndecoder2-12 (same) " in chosen


def test_a_block_is_struck_out_where_no_layer_in_it_is_used() -> None:
    blocks = "blocks:\n  head: [{linear: {name: aside, units: 3}}, {linear: {name: used, from: input, units: 2}}]\n"
    report = report_of(f"input: [4]\n{blocks}layers: [head]\n")
    segments = [line for line in table_lines(report, TableView(tree=True)) if line]
    style = {text.strip(): style for line in segments for text, style in line if text.strip()}
    assert (style["head1"], style["aside"], style["used"]) == ("cyan", "dim strike", "cyan")


def test_names_of_equal_blocks() -> None:
    spec = "input: [8]\nblocks:\n  pair: [{linear: 8}, relu]\nlayers:\n"
    for names, label in {
        ("only",): None,
        ("one", "two"): "two",
        ("one", "two", "three"): "two ... three",
        ("s1", "s2", "s10"): "s2-10",
        ("s0", "s", "s1"): "s ... s1",
    }.items():
        items = "".join(f"  - pair: {{name: {name}}}\n" for name in names)
        modules = module_tree(report_of(spec + items), TableView(tree=True))
        assert modules[0].label == names[0]
        assert [(module.label, module.like) for module in modules[1:]] == [(label, names[0])] * bool(label)


def test_an_activation_in_another_block_has_its_own_line() -> None:
    spec = "input: [8]\nblocks:\n  act: [relu, {linear: 4}]\nlayers: [linear: 8, relu, act]\n"
    report = report_of(spec)
    modules = tree_of(report)
    assert [module.label for module in modules] == ["linear1 + relu", "act1", "relu1", "linear1"]
    memory = [module.line.figures.output_bytes for module in modules]
    assert memory == [32, 16, 0, 16]
    assert report.in_place >= {"act1.relu1"}


def test_chosen_columns_stand_behind_the_names() -> None:
    shown = shown_table(analyze(netcalc.load("alexnet")), TableView(wanted=("params", "layer"), tree=True))
    assert [column.name for column in shown.columns] == ["layer", "params", "params_percent"]
    more = shown_table(analyze(netcalc.load("resnet18")), TableView(wanted=("+kernel", "+memory"), tree=True))
    assert {"kernel", "memory_percent"} <= {column.name for column in more.columns}
    assert shown_table(analyze(netcalc.load("alexnet"), convention="flops"), TableView(tree=True)).head == []
    names = [column.name for column in shown_table(
        analyze(netcalc.load("alexnet"), convention="flops"), TableView(tree=True)
    ).columns]  # fmt: skip
    assert [name for name in names if name.endswith("_percent")] == [
        "params_percent", "mult_adds_percent", "flops_percent",
    ]  # fmt: skip


def test_json_has_the_tree_after_what_it_had() -> None:
    report = report_of(TWINS)
    plain = "".join(json_chunks(report, "0"))
    with_tree = "".join(json_chunks(report, "0", TableView(tree=True)))
    assert with_tree.startswith(plain.rstrip("}\n"))
    tree = json.loads(with_tree)["tree"]
    assert [module["name"] for module in tree] == ["a", "b", "concat1", "head", "other"]
    assert [child["name"] for child in tree[0]["children"][1]["children"]] == [
        "a.cells.0", "a.cells.1", "a.cells.2", "a.cells.3",
    ]  # fmt: skip
    assert [module["shares"] for module in tree] == [None, "a", None, None, None]
    assert tree[0]["percent"]["params"] == 96.1429
    whole = json.loads(plain)["totals"]
    assert {name: sum(module[name] for module in tree) for name in whole} == whole
    folded = json.loads("".join(json_chunks(report, "0", TableView(tree=True, depth=1))))
    assert not any(module["children"] for module in folded["tree"])


def test_csv_with_blocks_and_shares() -> None:
    report = report_of(TWINS)
    rows = list(csv.DictReader(io.StringIO("".join(csv_chunks(exact_table(report, TableView(tree=True)))))))
    layers = [row for row in rows if row["kind"] != "block"]
    assert [row["layer"] for row in layers] == [row.node.full_name for row in report.rows]
    assert sum(int(row["macs"]) for row in layers) == report.totals.macs
    assert rows[0]["layer"] == "a"
    assert int(rows[0]["params"]) == 40_256
    assert float(rows[0]["params_percent"]) == 96.1429
    assert [row["shares"] for row in rows if row["layer"] in ("b", "b.stem")] == ["a", "a.stem"]
    plain = "".join(csv_chunks(exact_table(report))).splitlines()
    shares = "".join(csv_chunks(exact_table(report, TableView(percent=True, depth=1)))).splitlines()
    assert len(plain) == len(shares)
    assert shares[0].count("_percent") == 7


def test_markdown_and_latex_indent_names() -> None:
    report = report_of(TWINS)
    markdown = "".join(markdown_chunks(shown_as_table(report, TableView(tree=True))))
    assert "\n| │&nbsp;&nbsp;├─&nbsp;0 | block |  | 32x16x16 | (9.3) | 22.2 | 2.4 | 12.2 |\n" in markdown
    assert "params % |" in markdown
    assert "; % of the whole network" in markdown
    latex = "".join(latex_chunks(shown_as_table(report, TableView(tree=True))))
    assert "\n\\quad \\quad 0 & block &  & 32x16x16 & (9.3) & 22.2 & 2.4 & 12.2 \\\\\n" in latex
    assert r"\multicolumn{2}{c}{params}" in latex


def test_a_terminal_without_lines_draws_the_tree_in_ascii() -> None:
    console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="cp1252"), width=100)
    Terminal(console).write(table_lines(report_of(TWINS), TableView(tree=True)))
    console.file.flush()
    drawn = console.file.buffer.getvalue().decode("cp1252").splitlines()
    assert "|  |  +- conv1 " in "\n".join(drawn)
    assert "+- stem " in "\n".join(drawn)


def test_what_joins_named_branches_is_the_last_of_their_block() -> None:
    report = report_of(
        "input: [8, 4, 4]\nlayers:\n"
        "  - parallel: {name: fan, branches: {a: [{conv: {filters: 4, kernel: 1}}], b: [{linear: 4}]}, join: concat}\n"
        "  - residual: {name: rr, repeat: 2, main: [batchnorm]}\n".replace(
            "{linear: 4}", "maxpool: {kernel: 1}"
        )
    )
    names = [line.split()[0] for line in table_of(printed_table(report, depth=1))]
    assert [names.count(name) for name in ("fan", "rr")] == [1, 1]
    drawn = printed_table(report, tree=True)
    assert "└─ concat" in drawn
    assert "like 0" in drawn
    fan = next(line for line in drawn.splitlines() if line.startswith("fan"))
    assert "12x4x4" in fan
