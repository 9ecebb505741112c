"""netcalc compare: what it prints side by side, and as a difference."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


def test_alexnet_against_vgg16(cli: Cli) -> None:
    result = cli("compare", "alexnet", "vgg16-lecture")
    assert (result.code, result.err) == (0, "")
    groups = {group.splitlines()[0]: group.splitlines()[1:] for group in result.out.split("\n\n")}
    first, last = groups["outputs of conv and linear layers"]
    assert "1.91 MB" in first
    assert "48.65 MB    25x" in last
    assert first.count("█") < last.count("█")
    assert "137,767,464   2.3x" in groups["params"][1]
    assert "13,620,576,256  19.0x" in groups["multiply-adds"][1]
    assert "lecture convention" in result.out


def test_several_in_json(cli: Cli) -> None:
    out = cli("compare", "lenet5", "alexnet", "vgg16", "--batch", "2", "--dtype", "float16", "-f", "json").out
    document = json.loads(out)
    assert (document["batch"], document["dtype"], document["convention"]) == (2, "float16", "lecture")
    assert [network["name"] for network in document["networks"]] == ["LeNet-5", "AlexNet", "vgg16"]
    assert document["networks"][2]["params"] == 138_357_544
    assert document["networks"][1]["macs"] == 2 * 716_767_232
    assert document["networks"][0]["ratios"] == dict.fromkeys(document["networks"][0]["ratios"], 1.0)
    assert "difference" not in document


def test_a_ratio_to_nothing_is_null(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    path.write_text("input: [3]\nlayers:\n  - relu\n")
    document = json.loads(cli("compare", str(path), "lenet5", "-f", "json").out)
    assert document["networks"][1]["ratios"]["params"] is None
    assert cli("compare", str(path), "lenet5").code == 0


@pytest.mark.parametrize("options", [[], ["--diff"]])
def test_markdown_rows_are_equally_long(cli: Cli, options: list[str]) -> None:
    out = cli("compare", "alexnet", "vgg16-lecture", "-f", "markdown", *options).out
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1
    assert ("25x" in out) != bool(options)


def test_a_difference_is_a_ledger(cli: Cli) -> None:
    lines = cli("compare", "vgg16", "vgg16-lecture", "--diff").out.splitlines()
    assert "  14 layers unchanged, conv1_1 to bn_relu6.relu1" in lines
    changes = [line for line in lines if line[:2] in ("+ ", "- ", "~ ")]
    assert [line.split() for line in changes] == ["- conv3_3 + relu -590 -1,850 -3,136".split()]
    assert "-590,080 params, -1,849,688,064 multiply-adds, -3.06 MB of outputs" in lines


def test_a_renamed_layer_is_told(cli: Cli, tmp_path: Path) -> None:
    paths = []
    for name in ("a", "b"):
        paths.append(tmp_path / f"{name}.yaml")
        paths[-1].write_text(
            f"input: [3]\nlayers:\n  - linear: {{units: 3, name: {name}}}\n  - linear: {{units: 2}}\n"
        )
    before, after = map(str, paths)
    assert "  1 layer renamed, a, now b" in cli("compare", before, after, "--diff").out.splitlines()
    assert "1 layer renamed, a, now b" in cli("compare", before, after, "--diff", "-f", "markdown").out
    found = json.loads(cli("compare", before, after, "--diff", "-f", "json").out)["difference"]
    assert [layer["status"] for layer in found["layers"]] == ["renamed", "unchanged"]
    assert found["layers"][0]["changes"] == {"name": ["a", "b"]}


def test_a_difference_in_json_has_every_layer(cli: Cli) -> None:
    found = json.loads(cli("compare", "alexnet", "vgg16", "--diff", "-f", "json").out)["difference"]
    assert {layer["status"] for layer in found["layers"]} == {"added", "changed", "unchanged"}
    for figure, amount in found["cost"].items():
        assert amount == sum(layer["cost"][figure] for layer in found["layers"])
    assert found["cost"]["params"] == 138_357_544 - 61_100_840
    conv1 = found["layers"][0]
    assert (conv1["before"], conv1["after"]) == ("conv1", "conv1_1")
    assert conv1["changes"]["kernel"] == [[11, 11], [3, 3]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        (["alexnet"], "two specs or more"),
        (["-", "-"], "standard input can be read once"),
        (["alexnet", "vgg11", "vgg13", "--diff"], "between two specs, here are 3"),
        (["alexnet", "vgg61"], "did you mean vgg19?"),
        (["alexnet", "vgg11", "--format", "xml"], "Invalid value"),
        (["alexnet", "vgg11", "--batch", "0"], "Invalid value"),
    ],
)
def test_wrong_usage(cli: Cli, arguments: list[str], words: str) -> None:
    result = cli("compare", *arguments)
    assert (result.code, result.out) == (2, "")
    assert words in " ".join(result.err.replace("│", " ").split())
