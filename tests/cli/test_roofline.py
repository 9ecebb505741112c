"""netcalc roofline: what it prints, and how it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import netcalc
from netcalc.analysis.devices import read_devices
from netcalc.analysis.memory import training_peak

Cli = Callable[..., Any]


def test_alexnet_on_its_own_card(cli: Cli) -> None:
    result = cli(
        "roofline", "alexnet", "--device", "gtx580", "--batch", "128", "--images", "1281167", "--epochs", "90"
    )
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    rows = {line.split("  ")[0]: line.split() for line in lines}
    assert lines[0] == "AlexNet on GeForce GTX 580, 3 GB  ·  batch 128, float32"
    assert "conv1 + relu 18,651 174 102 compute 11.8 ms 11.8 ms".split() == rows["conv1 + relu"][:11]
    assert "pool1 0 117 0 memory 639 us 658 us".split() == rows["pool1"][:9]
    assert "conv2 + relu 57,331 92 592 compute 36.3 ms 72.5 ms".split() == rows["conv2 + relu"][:11]
    assert "training   at least 3.57 days   1,281,167 samples 90 times: 900,900 steps" in lines
    assert "A bound, not a forecast" in result.out


def test_alexnets_training_fits_its_card_or_not(cli: Cli) -> None:
    peak = training_peak(netcalc.load("alexnet"), 128, dtype="float32", optimiser="sgd")
    out = cli("roofline", "alexnet", "--device", "gtx580", "--batch", "128").out
    verdict = "it fits" if peak <= 3 * 2**30 else "it does not fit"
    (line,) = (line for line in out.splitlines() if line.startswith("memory"))
    assert line.endswith(f"of 3.00 GiB, {100 * peak / (3 * 2**30):.0f}%: {verdict}")
    assert "it does not fit" in cli("roofline", "alexnet", "--device", "gtx580", "--batch", "4096").out


def test_json(cli: Cli) -> None:
    options = ["--device", "a100", "--dtype", "tf32", "--batch", "8", "--images", "1000", "--epochs", "2"]
    document = json.loads(cli("roofline", "resnet18", *options, "-f", "json").out)
    assert (document["batch"], document["dtype"], document["device"]["key"]) == (8, "tf32", "a100")
    assert document["device"]["operations_per_second"] == 156e12
    bounds = document["lower_bounds"]
    for way in ("forward", "backward"):
        assert bounds[f"{way}_seconds"] == pytest.approx(
            sum(layer[way]["seconds"] for layer in document["layers"])
        )
    assert bounds["one_kernel_seconds"] < bounds["forward_seconds"]
    assert document["fusion"] == "elementwise"
    assert document["layers"][0]["layers"] == ["stem.conv1", "stem.batchnorm1", "relu1"]
    step = bounds["forward_seconds"] + bounds["backward_seconds"] + bounds["update_seconds"]
    assert bounds["step_seconds"] == pytest.approx(step)
    assert (bounds["steps"], bounds["training_seconds"]) == (250, pytest.approx(250 * step))
    bound = {layer["forward"]["bound_by"] for layer in document["layers"]}
    assert bound == {"compute", "memory"}


def test_what_is_fused_is_said(cli: Cli) -> None:
    fused, plain = (
        cli("roofline", "resnet18", "--device", "a100", "--fusion", fusion).out.splitlines()
        for fusion in ("elementwise", "none")
    )
    assert fused[1] == "fusion elementwise: 23 kernels for 68 layers"
    assert plain[1] == "fusion none: 68 kernels for 68 layers"
    assert "elementwise layers, normalisation, sums, concatenation" in " ".join(fused)
    assert "fusion can be faster" in " ".join(plain)
    assert all("Winograd" in " ".join(lines) for lines in (fused, plain))
    assert not any(line.startswith("one kernel") for line in plain)


def test_int8_is_for_inference_alone(cli: Cli) -> None:
    out = cli("roofline", "lenet5", "--device", "a17npu").out
    assert "batch 1, int8" in out
    assert "backward" not in out
    document = json.loads(cli("roofline", "lenet5", "--device", "a17npu", "-f", "json").out)
    assert set(document["lower_bounds"]) == {"forward_seconds", "one_kernel_seconds"}
    assert "backward" not in document["layers"][0]


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("name", ["alexnet", "resnet50", "efficientnet_b0"])
def test_no_line_is_wider_than_the_terminal(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, width: int, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = cli("roofline", name, "--device", "h100", "--dtype", "bfloat16", "--batch", "256").out
    assert max(map(len, out.splitlines())) <= width


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "Missing option '--device'"),
        (["--device", "gtx58"], "did you mean gtx580?"),
        (["--device", "xyzzy"], "there are gtx580, v100"),
        (
            ["--device", "gtx580", "--dtype", "float16"],
            "no peak is known of GeForce GTX 580, 3 GB in float16",
        ),
        (["--device", "gtx580", "--dtype", "float8"], "Invalid value"),
        (["--device", "a17npu", "--images", "10"], "no training is counted in int8"),
        (["--device", "a100", "--epochs", "0"], "Invalid value"),
        (["--device", "a100", "--devices", "no.yaml"], "there is no file 'no.yaml'; a table of devices is"),
        (["--device", "a100", "--devices", "."], "'.' is a directory; a table of devices is a YAML file"),
        (["--device", "a100", "--devices", "alexnet"], "there is no file 'alexnet'"),
        (["--device", "a100", "--devices", "/dev/null"], "a table of devices is empty"),
        (["--device", "mine.yaml"], "a table of devices is given with --devices"),
        (["--device", "a100", "--batch", "0"], "Invalid value"),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("roofline", "lenet5", *options)
    assert (result.code, result.out) == (2, "")
    assert words in " ".join(result.err.replace("│", " ").split())


def test_a_huge_batch(cli: Cli) -> None:
    result = cli(
        "roofline", "alexnet", "--device", "gtx580", "--batch", str(2**31 - 1), "--images", str(10**15)
    )
    assert (result.code, result.err) == (0, "")


def test_mistakes_in_a_table_are_shown_where_they_are(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine: {name: A, memory_gib: 0, bandwidth_giga: 1, peak_tera: {float3: 1}}\n")
    result = cli("roofline", "lenet5", "--device", "mine", "--devices", str(path))
    assert result.code == 2
    assert f"--> {path}:1:29" in result.err
    assert "did you mean float32?" in result.err


@pytest.mark.parametrize("width", [80, 100, 160])
def test_devices_are_listed_with_their_sources(cli: Cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    result = cli("devices")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert max(map(len, lines)) <= width
    a100 = next(line for line in lines if line.startswith("a100")).split()
    assert a100 == "a100 19.5 19.5 156 312 312 624 2039 80".split()
    text = " ".join(result.out.split())
    for device in read_devices().values():
        assert f"{device.key} {device.name} {device.source}" in text


def test_devices_in_json_and_of_ones_own(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("mine: {name: Mine, memory_gib: 1, bandwidth_giga: 10, peak_tera: {float32: 0.5}}\n")
    listed = json.loads(cli("devices", "--devices", str(path), "-f", "json").out)["devices"]
    assert {device["key"] for device in listed} == {*read_devices(), "mine"}
    assert listed[-1]["operations_per_second"] == {"float32": 5e11}
    assert listed[-1]["memory_bytes"] == 2**30
    assert "no source" in cli("devices", "--devices", str(path)).out
    assert cli("devices", "--devices", "nosuch.yaml").code == 2


@pytest.mark.parametrize(
    "layers", ["[flatten]", "[identity, {split: {parts: 4, part: 2}}]", "[{reduce: [0]}]"]
)
def test_a_network_that_does_next_to_nothing(cli: Cli, tmp_path: Path, layers: str) -> None:
    (tmp_path / "idle.yaml").write_text(f"input: [256]\nlayers: {layers}\n")
    for command in (["roofline", "--device", "a100"], ["memory"], ["check"], ["table"], ["run"], ["plan"]):
        result = cli(command[0], str(tmp_path / "idle.yaml"), *command[1:])
        assert (result.code, result.err) == (0, ""), command
