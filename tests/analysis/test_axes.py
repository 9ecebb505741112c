"""What axes are called, along whole networks, and where the tables and formulas use it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from netcalc import load
from netcalc.analysis import analyze
from netcalc.analysis.axes import axis_names
from netcalc.analysis.explain import explain
from netcalc.analysis.symbolic import formula
from netcalc.layers.axes import reshaped

from helpers import graph_of, report_of
from random_graphs import random_graph

Cli = Callable[..., Any]


def names(text: str) -> dict[str, str]:
    """The axes of each tensor in one word."""
    return {name: "".join(axes) for name, axes in axis_names(graph_of(text)).items()}


@pytest.mark.parametrize(
    ("input", "items", "expected"),
    [
        ("[3, 8, 8]", ["conv: {filters: 4, kernel: 3}", "relu", "flatten"], ["CHW", "CHW", "CHW", "C"]),
        ("[2, 30]", ["conv: {filters: 4, kernel: 3}", "global_avgpool"], ["CW", "CW", "C"]),
        ("[2, 6, 7, 8]", ["maxpool: {kernel: 2}"], ["CDHW", "CDHW"]),
        ("[9]", ["embedding: {entries: 5, width: 4}", "lstm: {units: 3, last: true}"], ["T", "TD", "D"]),
        ("[9, 4]", ["dropout", "linear: {units: 6}", "gru: {units: 3}"], ["TD", "TD", "TD", "TD"]),
        ("[9, 4]", ["multi_head_attention: {heads: 2}", "reduce: {axes: [0]}"], ["TD", "TD", "D"]),
        (
            "[9]",
            ["embedding: {entries: 5, width: 4}", "permute: {order: [1, 0]}", "conv: {filters: 2, kernel: 3}",
             "permute: {order: [1, 0]}"],
            ["T", "TD", "CT", "CT", "TD"],
        ),
        (
            "[3, 8, 8]",
            ["conv: {filters: 4, kernel: 4, stride: 4}", "flatten: {start: 1}", "permute: {order: [1, 0]}",
             "slice: {end: 1}", "flatten"],
            ["CHW", "CHW", "CT", "TD", "TD", "D"],
        ),
        ("[8, 8, 4]", ["layernorm", "window_attention: {heads: 2, size: 4}"], ["HWC", "HWC", "HWC"]),
        ("[4, 8, 6]", ["permute: {order: [1, 2, 0]}", "linear: {units: 3}"], ["CHW", "HWC", "HWC"]),
        ("[8, 6]", ["unsqueeze: {axis: 0}", "squeeze"], ["CW", "CHW", "HW"]),
        ("[16, 20, 3]", ["permute: [2, 0, 1]", "conv: {filters: 4, kernel: 3}"], ["HWC", "CHW", "CHW"]),
        ("[128, 64]", ["linear: 32", "gelu"], ["TD", "TD", "TD"]),
        (
            "[49, 64]",
            ["rmsnorm", "permute: [1, 0]", "linear: 5", "permute: [1, 0]"],
            ["TD", "TD", "CT", "CT", "TD"],
        ),
        (
            "[64, 128]",
            ["conv: {filters: 4, kernel: 3}", "permute: [1, 0]", "layernorm",
             "multi_head_attention: {heads: 2}"],
            ["CW", "CW", "TD", "TD", "TD"],
        ),
        ("[14, 14, 64]", ["layernorm", "linear: 8"], ["HWC", "HWC", "HWC"]),
        ("[3, 8, 8]", ["linear: 5"], ["CHW", "CHW"]),
        ("[8, 6]", ["unsqueeze: 0", "conv: {filters: 4, kernel: 3}"], ["HW", "CHW", "CHW"]),
        ("[100]", ["linear: {units: 36}", "reshape: {shape: [4, 3, 3]}"], ["C", "C", "CHW"]),
    ],
)  # fmt: skip
def test_names_are_carried_along(input: str, items: list[str], expected: list[str]) -> None:
    lines = "\n".join(f"  - {item}" for item in items)
    assert list(names(f"input: {input}\nlayers:\n{lines}\n").values()) == expected


def test_tokens_in_rows_and_memories_of_cross_attention() -> None:
    text = "input: [10, 50]\nlayers:\n  - embedding: {entries: 5, width: 4}\n"
    assert list(names(text).values()) == ["axis0T", "axis0TD"]
    text = (
        "inputs: {x: [20, 8], memory: [30, 8]}\nlayers:\n"
        "  - multi_head_attention: {heads: 2, from: [x, memory, memory]}\n"
    )
    assert set(names(text).values()) == {"TD"}


@pytest.mark.parametrize(
    ("input", "items"),
    [
        ("[20, 12]", ["reshape: [20, 3, 4]", "permute: [1, 0, 2]",
                      "matmul: {from: [permute1, permute1], transpose: true}"]),
        ("[64, 8]", ["layernorm", "linear: 8", "reshape: [8, 8, 8]", "permute: [2, 0, 1]",
                     "conv: {filters: 4, kernel: 3}"]),
    ],
)  # fmt: skip
def test_no_two_axes_of_a_tensor_have_one_name(input: str, items: list[str]) -> None:
    lines = "\n".join(f"  - {item}" for item in items)
    tensors = axis_names(graph_of(f"input: {input}\nlayers:\n{lines}\n"))
    assert all(len(set(axes)) == len(axes) for axes in tensors.values())


def test_a_stretched_axis_is_called_as_where_it_is_long() -> None:
    text = """
inputs: {a: [20, 8], b: [3, 8]}
layers:
  - gru: {name: x, from: a, units: 8}
  - gru: {name: y, from: b, units: 8}
  - matmul: {name: scores, from: [x, y], transpose: true}
  - reduce: {name: w, axes: [1], how: max, keep: true}
  - multiply: {name: one, from: [w, x]}
  - multiply: {name: other, from: [x, w]}
"""
    found = names(text)
    assert found["scores"] == "Taxis1"
    assert found["one"] == found["other"] == "TD"


def test_every_axis_of_a_random_network_has_one_name() -> None:
    for seed in range(40):
        graph = random_graph(seed)
        shapes = {given.name: given.type.shape for given in graph.inputs}
        shapes |= {node.full_name: node.output.shape for node in graph.nodes}
        for name, axes in axis_names(graph).items():
            assert len(set(axes)) == len(axes) == len(shapes[name]), (seed, name, axes)


def test_a_split_axis_keeps_its_name_in_the_first_part() -> None:
    merged = reshaped(("H", "W", "C"), (8, 8, 4), (4, 2, 4, 2, 4))
    assert merged == ("H", "axis1", "W", "axis3", "C")
    assert reshaped(("C", "T"), (4, 12), (4, 3, 4)) == ("C", "H", "W")
    assert reshaped(("C", "H", "W"), (4, 3, 4), (4, 12)) == ("C", "T")
    assert reshaped(("C", "H", "W"), (4, 3, 4), (1, 48)) == ("axis0", "C")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("alexnet", {"CHW", "C"}), ("vit_b_16", {"CHW", "CT", "TD", "D"}), ("gpt2_small", {"TD"}),
        ("maxvit_t", {"CHW", "HWC", "C"}), ("convnext_tiny", {"CHW", "HWC", "C"}),
        ("transformer_base", {"TD"}),
    ],
)  # fmt: skip
def test_the_zoos_axes(name: str, found: set[str]) -> None:
    rows = analyze(load(name)).rows
    assert {"".join(row.output_axes) for row in rows} == found


def test_formulas_are_in_the_names_of_the_axes() -> None:
    report = report_of("input: [10, 32]\nlayers:\n  - lstm: {units: 8}\n")
    formulas = {e.figure: formula(e.term) for e in explain(report, report.rows[0])}
    assert formulas["output T"] == "T"
    assert formulas["output D"] == "units"
    assert "T" in formulas["macs"]
    assert "D" in formulas["macs"]
    report = report_of("input: [4, 8, 6]\nlayers:\n  - permute: {order: [1, 2, 0]}\n  - linear: {units: 3}\n")
    formulas = {e.figure: formula(e.term) for e in explain(report, report.rows[1])}
    assert formulas["output C"] == "units"
    assert formulas["params"] == "units*C + units"


def test_features_have_no_receptive_field() -> None:
    rows = report_of("input: [10, 32]\nlayers:\n  - relu\n  - lstm: {units: 8}\n").rows
    assert [row.receptive_field for row in rows] == [None, None]


def test_tables_are_headed_by_the_axes(cli: Cli) -> None:
    lines = cli("table", "gpt2_small").out.splitlines()
    heading = next(line.split() for line in lines if line.startswith("layer"))
    assert heading[1:6] == ["D", "T", "filters", "D", "T"]
    first = next(line.split() for line in lines if line.startswith("token_embedding"))
    assert first[1:4] == ["1024", "768", "1024"]
    columns = "layer,in_channels,in_size,out_channels,out_size"
    norm = next(
        line.split()
        for line in cli("table", "maxvit_t", "--columns", columns).out.splitlines()
        if "permute1" in line
    )
    assert norm[1:] == ["64", "56", "64", "56"]


def test_axes_in_json_and_csv(cli: Cli) -> None:
    layers = json.loads(cli("table", "vit_b_16", "-f", "json").out)["layers"]
    assert layers[0]["input_axes"] == [["C", "H", "W"]]
    assert layers[2]["output_axes"] == ["T", "D"]
    rows = cli("table", "vit_b_16", "-f", "csv").out.splitlines()
    assert rows[0].endswith(",axes")
    assert rows[3].endswith('"T,D"')
