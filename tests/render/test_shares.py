"""Shares of the whole network, sizes, and columns that only some networks have."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

import netcalc
from netcalc.analysis import analyze
from netcalc.render import numbers
from netcalc.render.latex import latex_chunks
from netcalc.render.markdown import markdown_chunks
from netcalc.render.table.cells import shown_table
from netcalc.render.table.json import json_chunks
from netcalc.render.table.lines import TableView, lines, totals
from netcalc.render.table.shares import whole_of
from netcalc.render.table.tabular import shown_as_table

from helpers import printed_table, report_of

Cli = Callable[..., Any]

FROZEN = """
inputs: {left: [3, 8, 8], right: [3, 8, 8]}
layers:
  - conv: {name: one, from: left, filters: 4, kernel: 3, trainable: false}
  - conv: {name: two, from: right, share: one}
  - add: {from: [one, two]}
  - flatten
  - linear: {name: head, units: 10}
"""


def test_json_with_shares() -> None:
    report = report_of(FROZEN)
    plain = json.loads("".join(json_chunks(report, "0")))
    shares = json.loads("".join(json_chunks(report, "0", TableView(percent=True))))
    assert sum(layer["percent"]["macs"] for layer in shares["layers"]) == pytest.approx(100, abs=1e-3)
    assert all(layer.pop("percent")["trainable_params"] is not None for layer in shares["layers"])
    assert shares == plain
    relu = json.loads(
        "".join(json_chunks(report_of("input: [4]\nlayers: [relu]\n"), "0", TableView(percent=True)))
    )
    assert relu["layers"][0]["percent"]["params"] is None


def test_shares_beside_the_figures() -> None:
    out = printed_table(analyze(netcalc.load("alexnet")), percent=True)
    rows = [line.split() for line in out.splitlines()]
    assert "conv1 + relu 3 227 64 11 4 2 64 56 784 33.5 23 <0.1 73 10.2".split() in rows
    assert "total 2,339 100 61,101 100 718 100".split() in rows
    assert "% of the whole network" in " ".join(out.split())


def test_frozen_and_shared_parameters_are_marked() -> None:
    report = report_of(FROZEN)
    shown = shown_table(report, TableView(wanted=("layer", "params", "exact_params", "shares", "macs")))
    assert shown.cells[:3] == [
        ["one", "(0.11)", "(112)", "", "3,888"],
        ["two", "shared", "shared", "one", "3,888"],
        ["add1", "0", "0", "", "0"],
    ]
    words = "params in parentheses are frozen; shared params are counted once"
    assert words in printed_table(report)
    assert words in "".join(markdown_chunks(shown_as_table(report)))
    assert f"% {words}\n" in "".join(latex_chunks(shown_as_table(report)))
    assert "1,562 params (1,450 trainable, 112 frozen)" in printed_table(report)
    assert "parentheses" not in printed_table(analyze(netcalc.load("gpt2_small")))
    assert "counted once" in printed_table(analyze(netcalc.load("gpt2_small")))


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 10, ""), (0, 0, ""), (1, 10**9, "<0.1"), (499, 10**6, "<0.1"), (500, 10**6, "0.1"),
        (1, 3, "33.3"), (2, 3, "66.7"), (9994, 10**4, "99.9"), (9995, 10**4, ">99.9"),
        (10**9 - 1, 10**9, ">99.9"), (7, 7, "100"), (1, 2, "50.0"),
    ],
)  # fmt: skip
def test_a_share_is_0_or_100_only_where_it_is(part: int, whole: int, shown: str) -> None:
    assert numbers.share(part, whole) == shown


def test_shares_of_some_kinds_are_of_the_whole_network() -> None:
    report = analyze(netcalc.load("resnet18"))
    some = report.restricted(("conv",))
    assert whole_of(some, TableView()) == report.totals
    assert shown_table(some, TableView(percent=True)).sums[-1] == "99.9"
    drawn = printed_table(some, tree=True)
    assert "total " in drawn
    assert " 95.5 " in drawn
    assert "together" not in drawn
    assert whole_of(some.restricted(("conv",)), TableView()) == report.totals
    activations = report_of("input: [4]\nlayers: [linear: 4, relu, tanh, relu, tanh]\n").restricted(("relu",))
    assert shown_table(activations, TableView(percent=True)).sums[1:4] != []
    part, whole = totals(lines(activations)), whole_of(activations, TableView())
    assert (part.output_bytes, whole.output_bytes) == (32, 80)


def test_sizes_below_the_totals() -> None:
    resnet = printed_table(analyze(netcalc.load("resnet18")))
    # 3 x 224 x 224 x 4 bytes; 23,133.9 KB of outputs; 11,689,512 x 4 bytes
    assert "MB: input 0.57, outputs 22.59, params 44.59, together 67.76" in resnet
    twice = printed_table(analyze(netcalc.load("resnet18"), batch=2, dtype="float16", convention="macs"))
    assert "MiB: input 0.57, outputs 22.59, params 22.30, together 45.46" in twice
    small = printed_table(report_of(FROZEN))  # 2 x 192, 4 x 144 + 10 and 112 + 1450 elements of 4 bytes
    assert "MB: input 0.0015, outputs 0.0022, params 0.006, together 0.0097" in small
    assert numbers.mebibytes(0) == "0.00"
    assert numbers.mebibytes(1) == "0.00000095"


def test_dilation_and_groups_are_shown_where_they_are_not_1() -> None:
    def columns_of(text: str, **view: Any) -> list[str]:
        spec = f"input: [8, 16, 16]\nlayers: [{text}]\n"
        return [column.name for column in shown_table(report_of(spec), TableView(**view)).columns]

    plain = columns_of("conv: {filters: 8, kernel: 3}")
    assert not {"dilation", "groups"} & set(plain)
    assert "dilation" in columns_of("conv: {filters: 8, kernel: 3, dilation: [1, 2]}")
    assert "groups" in columns_of("conv: {filters: 8, kernel: 3, groups: 2}")
    assert "groups" in columns_of("depthwise_conv: {kernel: 3}")
    assert "dilation" in columns_of("maxpool: {kernel: 3, stride: 1, dilation: 2}")
    for name in ("alexnet", "lenet5", "vgg16", "resnet18"):
        shown = shown_table(analyze(netcalc.load(name))).columns
        assert not {"dilation", "groups"} & {column.name for column in shown}
    chunks = (markdown_chunks, latex_chunks)
    grouped = analyze(netcalc.load("alexnet-two-gpu"))
    assert all(" groups " in "".join(chunk(shown_as_table(grouped))) for chunk in chunks)
    depthwise = shown_table(analyze(netcalc.load("mobilenet_v1")))
    at = [column.name for column in depthwise.columns].index("groups")
    assert [row[at] for row in depthwise.cells[:3]] == ["1", "", "32"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tree", "--bars"], "leave tree out"),
        (["--percent", "--bars"], "leave percent out"),
        (["--percent", "--columns", "layer,kernel"], "none of the columns has a total"),
        (["--tree", "--depth", "0"], "0 is not in the range"),
    ],
)
def test_what_does_not_go_together(cli: Cli, arguments: list[str], message: str) -> None:
    result = cli("table", "alexnet", *arguments)
    assert result.code == 2
    assert message in " ".join(re.sub("[│\n]", " ", result.err).split())
    assert result.out == ""


@pytest.mark.parametrize("format", ["rich", "json", "csv", "markdown", "latex"])
def test_every_format_takes_the_options_together(cli: Cli, format: str) -> None:
    options = [
        *([] if format in ("json", "csv") else ["--all"]),
        "--depth",
        "2",
        "--batch",
        "3",
        "--dtype",
        "int8",
        "--convention",
        "macs",
    ]
    result = cli(
        "table", "mobilenet_v2", "-f", format, "--tree", "--percent", "--only", "conv,linear", *options
    )
    assert (result.code, result.err) == (0, "")
    columns = cli("table", "mobilenet_v2", "-f", format, "--percent", "--columns", "+macs")
    assert columns.code == (2 if format == "json" else 0)
