"""The commands by hand: what they print, where it goes, and how they end."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
NETCALC = [sys.executable, "-m", "netcalc"]


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """netcalc in a process of its own."""
    return subprocess.run([*NETCALC, *arguments], capture_output=True, text=True, check=False, **options)


def test_table_is_the_lectures(cli: Cli) -> None:
    result = cli("table", "alexnet.yaml")
    assert (result.code, result.err) == (0, "")
    rows = [line.split() for line in result.out.splitlines()]
    assert "conv1 + relu 3 227 64 11 4 2 64 56 784 23 73".split() in rows
    assert "fc6 + relu 9216 4096 4096 16 37,753 38".split() in rows
    assert "61,100,840 params, 716,767,232 multiply-adds" in result.out
    assert "1.91 MB of conv and linear" in " ".join(result.out.split())
    assert "lecture convention" in result.out
    assert "batch 1, float32; KB = 1024 bytes" in " ".join(result.out.split())


def test_an_existing_file_wins_over_a_bundled_architecture(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "AlexNet" in cli("table", "alexnet.yaml").out
    Path("alexnet.yaml").write_text("name: Mine\ninput: [3]\nlayers:\n  - relu\n")
    assert "Mine" in cli("table", "alexnet.yaml").out
    assert "AlexNet" in cli("table", "alexnet").out


def test_json_follows_the_contract(cli: Cli) -> None:
    document = json.loads(cli("table", "alexnet", "--format", "json").out)
    assert (document["name"], document["batch"], document["dtype"]) == ("AlexNet", 1, "float32")
    assert document["convention"] == "lecture"
    assert document["inputs"] == [{"name": "input", "shape": [3, 227, 227]}]
    conv1 = dict(document["layers"][0])
    assert conv1.pop("used") is True
    assert conv1["receptive_field"].pop("aligned") is True
    assert (conv1.pop("input_axes"), conv1.pop("output_axes")) == ([["C", "H", "W"]], ["C", "H", "W"])
    assert conv1 == {
        "name": "conv1", "kind": "conv", "path": [], "inputs": ["input"], "input_shapes": [[3, 227, 227]],
        "output_shape": [64, 56, 56],
        "options": {"filters": 64, "kernel": [11, 11], "stride": [4, 4], "pad": [2, 2]},
        "params": 23296, "trainable_params": 23296, "buffers": 0, "macs": 72855552, "other_ops": 0,
        "flops": 72855552, "output_bytes": 802816, "param_bytes": 93184,
        "receptive_field": {"size": [11, 11], "stride": [4, 4], "padding": [2, 2]},
    }  # fmt: skip
    assert document["layers"][-1]["receptive_field"] is None
    for figure, sum_of_rows in document["totals"].items():
        assert sum_of_rows == sum(layer[figure] for layer in document["layers"])
    assert document["totals"]["params"] == 61_100_840


def test_csv_has_plain_integers_a_layer_a_line(cli: Cli) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("table", "vgg16", "-f", "csv").out)))
    assert len(rows) == 39
    assert sum(int(row["macs"]) for row in rows) == 15_470_264_320
    assert rows[0]["output"] == "64x224x224"


def test_csv_columns(cli: Cli) -> None:
    out = cli("table", "lenet5", "-f", "csv", "--columns", "layer,weights,rf").out
    assert out.splitlines()[:2] == ["layer,weights,rf", "conv1,20x1x5x5,5x5"]


def test_markdown(cli: Cli) -> None:
    lines = cli("table", "alexnet", "-f", "markdown").out.splitlines()
    assert "| conv1 + relu | 3 | 227 | 64 | 11 | 4 | 2 | 64 | 56 | 784 | 23 | 73 |" in lines
    table = [line for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert len(table) == 2 + 12 + 1


def test_latex(cli: Cli) -> None:
    out = cli("table", "vgg16", "-f", "latex").out
    assert r"\multicolumn{2}{c}{input size}" in out
    assert r"conv1\_1 + relu & 3 & 224 &" in out
    rows = [line for line in out.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert len({line.count("&") for line in rows}) == 1


def test_bars_show_the_three_observations(cli: Cli) -> None:
    lines = {line.split("  ")[0]: line for line in cli("table", "alexnet", "--bars").out.splitlines()}
    longest = {
        name: [part.count("█") for part in _chart(line)]
        for name, line in lines.items()
        if "conv" in name or "fc" in name
    }
    assert max(longest, key=lambda name: longest[name][0]) == "conv1 + relu"  # memory: early convolutions
    assert max(longest, key=lambda name: longest[name][1]) == "fc6 + relu"  # parameters: linear layers
    assert max(longest, key=lambda name: longest[name][2]) == "conv2 + relu"  # multiply-adds: convolutions


def _chart(line: str) -> list[str]:
    import re

    return re.split(r"[\d,.]+", line[12:])[:3]


def test_all_shows_the_input_and_every_layer(cli: Cli) -> None:
    lines = cli("table", "lenet5", "--all").out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("input "))
    assert lines[start].split() == ["input", "1", "28"]
    end = next(number for number, line in enumerate(lines) if line.startswith("total"))
    assert end - 1 - start == 11


def test_options_reach_the_figures(cli: Cli) -> None:
    figures = json.loads(
        cli("table", "alexnet", "-f", "json", "--batch", "128", "--dtype", "float16", "--convention", "flops",
            "--input", "3x224x224").out
    )  # fmt: skip
    assert (figures["batch"], figures["dtype"], figures["convention"]) == (128, "float16", "flops")
    assert figures["totals"]["macs"] == 714_188_480 * 128
    assert figures["totals"]["param_bytes"] == 61_100_840 * 2
    assert figures["totals"]["flops"] == 2 * figures["totals"]["macs"] + figures["totals"]["other_ops"]


def test_set_and_standard_input() -> None:
    spec = "input: [8]\nargs: {units: 4, more: '$(units * 2)'}\nlayers:\n  - linear: {units: $more}\n"
    run = process("table", "-", "--set", "units=5", "-f", "json", input=spec)
    assert run.returncode == 0
    assert json.loads(run.stdout)["layers"][0]["output_shape"] == [10]


def test_explain_prints_the_lectures_formula(cli: Cli) -> None:
    out = cli("explain", "alexnet.yaml", "conv1").out
    assert "= floor((H - kernel + 2*pad) / stride) + 1" in out
    assert "= (227 - 11 + 2*2) / 4 + 1\n  = 56" in out
    assert "= 64*3*11*11 + 64\n  = 23,296" in out
    assert "= 64*56*56*3*11*11\n  = 72,855,552 multiply-adds" in out
    assert "802,816 bytes = 784.00 KB" in out


def test_explain_shows_the_floor(cli: Cli) -> None:
    out = cli("explain", "alexnet", "pool1").out
    assert "floor((56 - 3) / 2) + 1" in out
    assert "53 / 2 = 26.5, rounded down to 26" in out


def test_explain_a_layer_that_is_not_there(cli: Cli) -> None:
    result = cli("explain", "alexnet", "covn1")
    assert result.code == 2
    assert "did you mean conv1?" in result.err


def test_list(cli: Cli) -> None:
    rows = [line.split() for line in cli("list").out.splitlines()]
    assert ["alexnet", "alexnet", "2012", "3x227x227", "19", "61,100,840", "716,767,232"] in rows


def test_list_filters_and_sorts(cli: Cli) -> None:
    names = [
        line.split()[0]
        for line in cli("list", "resnet", "kaiming", "--sort", "macs").out.splitlines()
        if line
    ]
    assert names == ["no"]
    out = cli("list", "resnet.yaml"[:6], "torchvision", "--sort", "macs").out
    macs = [int(line.split()[-1].replace(",", "")) for line in out.splitlines()[1:] if "x224" in line]
    assert macs == sorted(macs)
    assert len(macs) >= 5


def test_show_gives_a_variant_or_its_family(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(cli("show", "resnet34").out)
    assert cli("table", str(path), "-f", "json").out == cli("table", "resnet34", "-f", "json").out
    path.write_text(cli("show", "resnet").out)
    assert cli("show", str(path), "--variant", "resnet34").out == cli("show", "resnet34").out
    assert cli("table", str(path), "--variant", "resnet35").code == 2
    assert "did you mean resnet34?" in cli("table", str(path), "--variant", "resnet3").err
    assert "did you mean" in cli("show", "resnet35").err


def test_depth_one_reads_like_the_papers_table(cli: Cli) -> None:
    out = cli("table", "resnet50", "--depth", "1").out
    rows = [" ".join(line.split()) for line in out.splitlines()]
    for stage, contents in {
        "stage1": "[1x1 64, 3x3 64, 1x1 256] x 3 256 56",
        "stage2": "[1x1 128, 3x3 128, 1x1 512] x 4 512 28",
        "stage3": "[1x1 256, 3x3 256, 1x1 1024] x 6 1024 14",
        "stage4": "[1x1 512, 3x3 512, 1x1 2048] x 3 2048 7",
    }.items():
        assert any(row.startswith(f"{stage} {contents}") for row in rows)
    assert "25,557,032 params" in out


def test_depth_two_stacks_equal_blocks(cli: Cli) -> None:
    out = cli("table", "resnet50", "--depth", "2").out
    assert "stage1.1 x 2" in out
    assert "stage3.1 x 5" in out


def test_only_leaves_some_kinds_in(cli: Cli) -> None:
    every = json.loads(cli("table", "resnet18", "-f", "json").out)
    some = json.loads(cli("table", "resnet18", "-f", "json", "--only", "conv,linear").out)
    kept = [layer for layer in every["layers"] if layer["kind"] in ("conv", "linear")]
    assert some["layers"] == kept
    assert some["totals"]["params"] == sum(layer["params"] for layer in kept)
    assert "only conv, linear" in " ".join(cli("table", "resnet18", "--only", "conv,linear").out.split())
    assert "did you mean conv?" in cli("table", "resnet18", "--only", "cnov").err


def test_layers(cli: Cli) -> None:
    from netcalc.layers import LAYERS

    index = cli("layers").out
    for kind in LAYERS:
        assert f"  {kind} " in index
        page = cli("layers", kind)
        assert page.code == 0
        assert "example  " in page.out
    assert "did you mean conv?" in cli("layers", "Conv2d").err
    assert cli("layers", "xyzzy").code == 2


def test_version_and_help(cli: Cli) -> None:
    assert cli("--version").out.startswith("netcalc 0.")
    for arguments in (
        ["--help"],
        ["table", "--help"],
        ["explain", "-h"],
        ["list", "-h"],
        ["layers", "-h"],
        ["compare", "-h"],
        ["schema", "-h"],
    ):
        result = cli(*arguments)
        assert result.code == 0
        assert "Usage" in result.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["table"], "Missing argument"),
        (["tabel", "alexnet"], "No such command"),
        (["table", "alexnet", "--format", "xml"], "Invalid value"),
        (["table", "alexnet", "--batch", "0"], "Invalid value"),
        (["table", "alexnet", "--batch", "many"], "Invalid value"),
        (["table", "alexnet", "--dtype", "float8"], "Invalid value"),
        (["table", "alexnet", "--convention", "gut"], "Invalid value"),
        (["table", "alexnet", "--columns", "memry"], "did you mean memory?"),
        (["table", "alexnet", "--columns", ","], "there is no column"),
        (["table", "alexnet", "--input", "3x7x7"], "E601"),
        (["table", "alexnet", "--input", "big"], "E701"),
        (["table", "alexnet", "--input", "3x0x4"], "E701"),
        (["table", "alexnet", "--input", "picture=3x224x224"], "E701"),
        (["table", "alexnet", "--set", "width=2"], "the spec has no argument 'width'"),
        (["table", "alexnet", "--set", "width"], "a setting is name=value"),
        (["table", "alexnet", "--set", "width="], "has no value"),
        (["table", "alexnet", "--set", "width=[1"], "not YAML"),
        (["table", "alexnett"], "did you mean alexnet?"),
        (["table", "no/such/file.yaml"], "there is no file"),
        (["table", "."], "a directory, not a spec"),
        (["table", "a\0b"], "NUL"),
        (["table", ""], "there is no file"),
    ],
)  # fmt: skip
def test_wrong_use_ends_with_2_and_says_why(cli: Cli, arguments: list[str], words: str) -> None:
    result = cli(*arguments)
    assert (result.code, result.out) == (2, "")
    assert words in " ".join(result.err.replace("│", " ").split())
    assert "Traceback" not in result.err


def test_a_binary_file(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "picture.yaml"
    path.write_bytes(b"name: a\n\x89PNG\r\n\x1a\n\x00\xff")
    result = cli("table", str(path))
    assert result.code == 2
    assert f"error[E102]: this is not UTF-8 text: byte 0x89 cannot be read\n --> {path}:2:1" in result.err


def test_utf16_and_a_byte_order_mark(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("input: [3]\nlayers:\n  - relu\n", encoding="utf-8-sig")
    assert cli("table", str(path)).code == 0
    path.write_text("input: [3]\nlayers:\n  - relu\n", encoding="utf-16")
    assert "E102" in cli("table", str(path)).err
    path.write_bytes(b"\xef\xbb\xbfname: \xff\n")
    assert f"byte 0xff cannot be read\n --> {path}:1:7" in cli("table", str(path)).err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_no_permission(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("input: [3]\n")
    path.chmod(0)
    assert "cannot be read: permission denied" in cli("table", str(path)).err


def test_no_permission_as_the_system_says_it(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("input: [3]\n")

    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    assert "cannot be read: permission denied" in cli("table", str(path)).err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no device that is always full")
def test_unwritable_output() -> None:
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [*NETCALC, "table", "alexnet"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert run.returncode == 2
    assert "the output cannot be written" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_reader_that_has_had_enough() -> None:
    shell = f"{sys.executable} -m netcalc table vgg16 -f json | head -c 100"
    run = subprocess.run(shell, shell=True, capture_output=True, text=True, check=False)
    assert len(run.stdout) == 100
    assert run.stderr == ""


def test_interrupt() -> None:
    with subprocess.Popen(
        [*NETCALC, "table", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        time.sleep(1.0)  # it waits for its standard input by then
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=20)
    assert run.returncode == 130
    assert "Traceback" not in err


def test_ascii_terminals_get_ascii() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "100"}
    spec = "name: Größe\nsource: “quoted”\ninput: [3, 8, 8]\nlayers:\n  - conv: {name: é, filters: 2, kernel: 3}\n"
    for arguments in (
        ["table", "-"],
        ["table", "-", "--bars"],
        ["table", "-", "-f", "markdown"],
        ["explain", "-", "é"],
    ):
        run = process(*arguments, input=spec, env=environment)
        assert run.returncode == 0, run.stderr
        assert run.stdout.isascii()
    assert "#" in process("table", "-", "--bars", input=spec, env=environment).stdout


def test_colours_only_where_they_show() -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    assert "\x1b" not in process("table", "alexnet", env=environment).stdout
    forced = {**environment, "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert "\x1b[" in process("table", "alexnet", env=forced).stdout
    assert "\x1b[3" not in process("table", "alexnet", env={**forced, "NO_COLOR": "1"}).stdout


def test_a_pipe_gets_the_whole_width() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    out = process("table", "vgg16", env=environment).stdout
    assert "conv1_1 + relu" in out
    assert "fc6 + relu + dropout" in out


def test_table_does_not_import_what_it_does_not_need() -> None:
    code = (
        "import sys; from netcalc.cli.app import run; run(['table', 'alexnet', '--format', 'rich']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = run.stderr.split()
    unneeded = {"numpy", "pydantic", "click", "json", "csv", "fractions", "decimal", "tempfile"}
    assert not {name.split(".")[0] for name in imported} & unneeded
    assert not {"encodings.utf_8_sig", "rich.table", "rich.progress"} & {*imported}
    assert not [name for name in imported if "html" in name]
    layers = {name for name in imported if name.startswith("netcalc.layers.")}
    assert "netcalc.layers.convolution" in layers
    assert not layers & {"netcalc.layers.normalisation", "netcalc.layers.recurrent"}  # AlexNet has none


def test_leaving_searches_no_memory_for_cycles() -> None:
    code = (
        "import atexit, gc; from netcalc.__main__ import main;"
        "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 0)); main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[1:] == ["False True"]


def test_the_package_root_imports_nothing_heavy() -> None:
    code = "import sys, netcalc; print(sorted({'rich', 'yaml', 'typer', 'numpy', 'netcalc.graph'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_prose_fits_the_terminal(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (60, 80, 100):
        monkeypatch.setenv("COLUMNS", str(width))
        assert max(map(len, cli("explain", "alexnet", "conv1").out.splitlines())) <= width
        printed = cli("table", "swin_t", "--depth", "1").out.splitlines()
        hidden = [line for line in printed if "not shown at" in line]
        assert max(map(len, hidden), default=0) <= width
        assert hidden or width > 60
