"""The commands agree: which common option each has, that it acts there, and every format of every command."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

import netcalc
from netcalc.cli.app import COMMANDS, app

from data_files import write_classes
from helpers import METRICS, TESTS

Cli = Callable[..., Any]

SPEC = """
name: Small
input: [3, 8, 8]
args: {width: 4}
variants: {wide: {width: 8}}
budget: {training_memory: 1GiB}
layers:
  - conv: {filters: $width, kernel: 3}
  - batchnorm
  - relu
  - flatten
  - linear: 3
"""
OPTIONS = ("--input", "--set", "--variant", "--batch", "--dtype", "--convention", "--format", "--output")

NO_NETWORK = dict.fromkeys(OPTIONS[:6], "it reads no network")
ABSENT: dict[str, dict[str, str]] = {
    "table": {},
    "check": {
        "--dtype": "expected figures and budgets are stated for float32",
        "--convention": "no finding and no expected figure is in FLOPs",
    },
    "compare": {},
    "memory": {"--convention": "it counts bytes and multiply-adds, no FLOPs"},
    "roofline": {"--convention": "operations are those that a device's peak counts"},
    "devices": NO_NETWORK,
    "sweep": {},
    "explain": {},
    "run": {"--convention": "it computes; a rate counts the operations done"},
    "plan": {"--convention": "it counts no operations"},
    "gradcheck": {
        "--dtype": "finite differences need float64",
        "--convention": "it counts no operations",
    },
    "init": {"--convention": "it counts no operations"},
    "fold": {
        "--batch": "nothing is run on samples",
        "--dtype": "weights keep the type that they were stored in",
        "--convention": "it counts no operations",
        "--format": "the ending of --output says how the weights are kept",
    },
    "augment": {**NO_NETWORK, "--format": "a sheet is a picture"},
    "train": {
        "--convention": "it says multiply-adds",
        "--format": "its lines come while it trains; metrics.jsonl has every figure",
    },
    "evaluate": {"--convention": "it counts no operations"},
    "predict": {"--convention": "it counts no operations"},
    "curves": NO_NETWORK,
    "list": dict.fromkeys(OPTIONS[:6], "the bundled networks are listed as they were published"),
    "show": {
        **dict.fromkeys(("--input", "--set"), "the text is the author's; a reader changes it by hand"),
        **dict.fromkeys(("--batch", "--dtype", "--convention"), "it counts nothing"),
        "--format": "a spec is YAML",
    },
    "layers": NO_NETWORK,
    "rules": NO_NETWORK,
    "schema": {**NO_NETWORK, "--format": "a JSON Schema is JSON"},
}
"""For each command the common options that it has not, with the reason."""

ARGUMENTS = {
    "table": "s.yaml", "check": "s.yaml", "compare": "s.yaml lenet5", "memory": "s.yaml", "devices": "",
    "roofline": "s.yaml --device a100", "sweep": "s.yaml --set width=2,4", "explain": "s.yaml conv1",
    "run": "s.yaml", "plan": "s.yaml --workers 1", "gradcheck": "s.yaml", "init": "s.yaml", "list": "lenet", "layers": "conv",
    "fold": "s.yaml --weights w.npz --output f.npz", "show": "s.yaml", "rules": "N301", "schema": "",
    "augment": "--data d.npz --output o.png", "train": "s.yaml --data t.npz --epochs 1 --workers 1",
    "evaluate": "s.yaml --weights w.npz --data photos",
    "predict": "s.yaml --weights w.npz --data photos",
    "curves": "m.jsonl",
}  # fmt: skip
"""For each command what it is run with here."""

VALUES = {
    "--input": "10", "--set": "width=6", "--variant": "wide", "--batch": "3", "--dtype": "float64",
    "--convention": "flops", "--format": "json",
}  # fmt: skip
"""For each option a value that is not its default."""
VALUE_OF = {("compare", "--input"): "28", ("roofline", "--dtype"): "float16", ("sweep", "--set"): "width=2,6"}
ENDINGS = {"json": "json", "csv": "csv", "markdown": "md", "latex": "tex"}


def flags() -> dict[str, set[str]]:
    """The options of each command, long and short."""
    group = typer.main.get_command(app)
    found = {}
    for name in COMMANDS:
        command = group.get_command(None, name)  # type: ignore[attr-defined]
        found[name] = {flag for parameter in command.params for flag in parameter.opts}
    return found


FLAGS = flags()
WITH_FORMATS = [name for name in COMMANDS if "--format" in FLAGS[name]]
WITH_OUTPUT = [name for name in COMMANDS if "--output" in FLAGS[name]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SPEC)
    np.savez("d.npz", x=np.zeros((4, 3, 8, 8), np.uint8), y=np.arange(4))
    np.savez("t.npz", x=np.zeros((20, 3, 8, 8), np.uint8), y=np.arange(20) % 3)
    write_classes(tmp_path / "photos", ("cat", "dog", "owl"), each=2)
    netcalc.Network(netcalc.load("s.yaml")).save("w.npz")
    Path("m.jsonl").write_text(METRICS)
    monkeypatch.setattr("netcalc.spec.bundled_files", lambda: ["lenet5"])  # all take seconds to count
    yield tmp_path
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]  # no partial file


def outcome(cli: Cli, *arguments: str) -> tuple[int, str, dict[str, bytes]]:
    """The exit code, what was printed, and the files that are there."""
    result = cli(*arguments)
    files = {
        path.name: path.read_bytes() for path in Path().rglob("*") if path.is_file() and path.suffix != ".npz"
    }
    return result.code, result.out, files


@pytest.mark.parametrize("command", COMMANDS)
def test_each_common_option_is_there_or_has_a_reason(command: str) -> None:
    lacking = {option for option in OPTIONS if option not in FLAGS[command]}
    assert lacking == ABSENT[command].keys()
    assert ("--format" in FLAGS[command]) == ("-f" in FLAGS[command])
    assert "-o" in FLAGS[command]


@pytest.mark.parametrize(
    ("command", "option"),
    [(name, option) for name in COMMANDS for option in VALUES if option in FLAGS[name]],
)
def test_each_option_acts(cli: Cli, command: str, option: str) -> None:
    arguments = [command, *ARGUMENTS[command].split()]
    value = VALUE_OF.get((command, option), VALUES[option])
    if command == "compare":
        Path("t.yaml").write_text(SPEC.replace("kernel: 3", "kernel: 2"))
        arguments[2] = "t.yaml"
    if command == "sweep" and option == "--set":
        arguments = arguments[:2]
        plain = outcome(cli, *arguments, "--set", "width=2,4")
    else:
        plain = outcome(cli, *arguments)
    changed = outcome(cli, *arguments, option, value)
    assert plain[0] == 0
    assert changed != plain
    if command in ("fold", "train", "evaluate", "predict"):  # weights and samples of other shapes do not fit
        assert changed[0] in (0, 2)
    else:
        assert changed[0] == 0


@pytest.mark.parametrize("command", [name for name in COMMANDS if "--set" in FLAGS[name]])
def test_settings_that_do_nothing_are_refused(cli: Cli, command: str) -> None:
    Path("s.yaml").write_text(SPEC.replace("width: 4", "width: 4, idle: 1"))
    arguments = [command, *ARGUMENTS[command].split()]
    if command == "compare":
        arguments[2] = "s.yaml"
    unknown = cli(*arguments, "--set", "wdith=2")
    assert (unknown.code, unknown.out) == (2, "")
    assert "wdith" in unknown.err
    if command != "check":  # a finding there
        idle = cli(*arguments, "--set", "idle=2")
        assert (idle.code, idle.out) == (2, "")
        assert "error[E804]: idle changes nothing" in idle.err
        assert cli(*arguments, "--set", "idle=1").code == 0  # it repeats the default
        Path("s.yaml").write_text(
            SPEC.replace("width: 4", "width: 4, idle: 4").replace("$width", "$(width + 0 * idle)")
        )
        assert cli(*arguments, "--set", "idle=2").code == 0  # it is read, and this value gives the same
    assert "E804" in cli("check", "s.yaml", "--set", "idle=2").out


@pytest.mark.parametrize("command", WITH_FORMATS)
def test_every_format_of_every_command(cli: Cli, command: str) -> None:
    arguments = [command, *ARGUMENTS[command].split()]
    document = json.loads(cli(*arguments, "--format", "json").out)
    assert next(iter(document)) == "netcalc"
    rows = list(csv.reader(io.StringIO(cli(*arguments, "--format", "csv").out)))
    assert len({len(row) for row in rows}) == 1
    assert len(set(rows[0])) == len(rows[0])  # each column has a name of its own
    assert len(rows) > 1
    latex = cli(*arguments, "--format", "latex").out.splitlines()
    assert latex[-1] == r"\end{tabular}"
    body = [line for line in latex if line.endswith(r"\\") and "multicolumn" not in line]
    assert len({line.replace(r"\&", "").count("&") for line in body}) == 1
    markdown = cli(*arguments, "--format", "markdown")
    assert (markdown.code, markdown.err) == (0, "")
    table = [line for line in markdown.out.splitlines() if line.startswith("| ")]
    assert len({line.replace(r"\|", "").count("|") for line in table}) == (0 if command == "rules" else 1)


@pytest.mark.parametrize("command", WITH_FORMATS)
def test_a_file_gets_what_standard_output_gets(cli: Cli, command: str) -> None:
    arguments = [command, *ARGUMENTS[command].split()]
    for format, ending in ENDINGS.items():
        printed = cli(*arguments, "-f", format)
        written = cli(*arguments, "-o", f"o.{ending}")
        assert (written.code, written.out, written.err) == (0, "", "")
        assert Path(f"o.{ending}").read_bytes().decode() == printed.out
        assert cli(*arguments, "-f", format, "-o", "-").out == printed.out
    refused = cli(*arguments, "-f", "csv", "-o", "o.md")
    assert (refused.code, refused.out) == (2, "")
    assert "o.md ends in .md, which is markdown, and --format says csv" in squeezed(refused.err)


@pytest.mark.parametrize("command", sorted({*WITH_OUTPUT} - {"run", "sweep", "fold", "augment", "train"}))
def test_text_in_a_file_is_as_in_a_pipe(cli: Cli, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [command, *ARGUMENTS[command].split()]
    printed = cli(*arguments)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert cli(*arguments, "-o", "o.txt").out == ""
    assert Path("o.txt").read_text(encoding="utf-8") == printed.out


@pytest.mark.parametrize("command", [name for name in WITH_OUTPUT if name != "train"])  # its is a folder
def test_where_nothing_can_be_written(cli: Cli, command: str) -> None:
    arguments = [command, *re.sub(" --output .*", "", ARGUMENTS[command]).split()]
    ending = {"fold": "npz", "augment": "png", "show": "yaml"}.get(command, "json")
    Path(f"there.{ending}").mkdir()
    for path, reason in ((f"no/o.{ending}", "no such"), (f"there.{ending}", "it is not a regular file")):
        refused = cli(*arguments, "-o", path)
        assert (refused.code, refused.out) == (2, "")
        assert "cannot be written" in squeezed(refused.err)
        assert reason in squeezed(refused.err).lower()


def test_a_file_is_written_whole_or_not_at_all(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(*_: Any) -> Iterator[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    Path("o.json").write_text("as it was")
    Path("link.json").symlink_to("o.json")
    with monkeypatch.context() as patched:
        patched.setattr("netcalc.render.table.json.json_chunks", torn)
        for name in ("o.json", "link.json"):
            refused = cli("table", "s.yaml", "-o", name)
            assert (refused.code, refused.out) == (2, "")
            assert f"error[E103]: {name} cannot be written: no space left on device" in refused.err
    assert Path("o.json").read_text() == "as it was"
    assert cli("table", "s.yaml", "-o", "link.json").code == 0
    assert Path("link.json").is_symlink()
    assert Path("o.json").read_text().startswith('{"netcalc"')


def squeezed(text: str) -> str:
    """A message without the frame that it stands in."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("tabel alexnet", "No such command 'tabel'; did you mean table?"),
        ("tabel --help", "did you mean table?"),
        ("xyzzy", "No such command 'xyzzy'."),
        ("table s.yaml --fromat csv", "No such option: --fromat; did you mean --format?"),
        ("--versoin", "did you mean --version?"),
        ("table s.yaml --bars -f csv", "bars are drawn in a terminal, csv has none"),
        ("table s.yaml --depth 1 -o o.json", "json has every layer"),
        ("show s.yaml -o o.json", "o.json ends in .json, here it can be yaml"),
        ("schema -o o.csv", "o.csv ends in .csv, here it can be json"),
        ("table s.yaml -o a\0b", "a path cannot hold a NUL character"),
        ("run s.yaml --verify --trace", "one random sample of its own"),
        ("run s.yaml --verify --batch 2", "one random sample of its own"),
        ("run s.yaml --verify --input input=random", "one random sample of its own"),
        ("run s.yaml --verify -o o.npz", "one random sample of its own"),
        ("run s.yaml --upstream dy.npy", "add --backward"),
        ("run s.yaml --verify --labels names.txt", "one random sample of its own"),
        ("run s.yaml --verify --top 2", "one random sample of its own"),
        ("run s.yaml --trace --labels names.txt", "--trace has a row a layer, no classes"),
        ("run s.yaml --backward --labels names.txt -f csv", "csv with --backward has a row a layer"),
        ("run s.yaml --top 2", "classes are shown for a picture, or with --labels"),
        ("run s.yaml --resize 9", "no input is one"),
        ("run s.yaml --input input=x.npy --mean 0.5", "no input is one"),
        ("run s.yaml --std 0.5", "no input is one"),
        ("run s.yaml --trace --reference", "run the plain kernels anyway"),
        ("table s.yaml --all -f json", "json has every layer"),
        ("table s.yaml --all --tree -o o.csv", "csv has every layer"),
        ("memory s.yaml --all -f json", "json has every layer"),
        ("memory s.yaml --fit 1GiB -f csv", "json has the peak and the fit"),
        ("memory s.yaml --optimizer adam -o o.csv", "csv has what each layer keeps"),
        ("memory s.yaml --loss mse -f csv", "csv has what each layer keeps"),
        ("memory s.yaml --dtype float16 --pure -f csv", "csv has what each layer keeps"),
        ("memory s.yaml --pure", "no float32 copies"),
        ("memory s.yaml --dtype int8 --optimiser adam", "not trained in int8"),
        ("memory s.yaml --dtype int8 --loss mse", "not trained in int8"),
        ("roofline s.yaml --device a100 --epochs 3", "give images too"),
        ("roofline s.yaml --device a100 --images 10 -f csv", "csv has a row a kernel"),
        ("sweep s.yaml --set width=2,4 --seed 3", "give sample too"),
        ("run s.yaml --input x.npy --batch 2", "the samples are those of the files"),
        ("compare s.yaml lenet5 --set width=2", "asked of lenet5: --set, --input and --variant apply"),
    ],
)
def test_what_cannot_act_is_refused(cli: Cli, arguments: str, words: str) -> None:
    refused = cli(*arguments.split(" "))
    assert (refused.code, refused.out) == (2, "")
    assert words in squeezed(refused.err)


def test_other_spellings(cli: Cli) -> None:
    assert cli("-V").out == cli("--version").out
    assert cli("rules", "n301").out == cli("rules", "N301").out
    assert cli("rules", "e402", "-f", "json").out == cli("rules", "E402", "-f", "json").out
    adam = cli("memory", "s.yaml", "--optimizer", "adam")
    assert (adam.code, adam.out) == (0, cli("memory", "s.yaml", "--optimiser", "adam").out)


@pytest.mark.parametrize(
    "command", [name for name in COMMANDS if "--input" in FLAGS[name] and name != "train"]
)
def test_one_number_keeps_the_channels(cli: Cli, command: str) -> None:
    netcalc.Network(netcalc.load("s.yaml", input=(3, 10, 10))).save("w.npz")
    arguments = [command, *ARGUMENTS[command].split()]
    if command == "compare":
        arguments[2] = "s.yaml"
    whole = outcome(cli, *arguments, "--input", "3x10x10")
    assert whole[0] == 0
    assert outcome(cli, *arguments, "--input", "10")[:2] == whole[:2]
    assert outcome(cli, *arguments, "--input", "input=10")[2] == whole[2]


@pytest.mark.parametrize("option", ["--input", "--set"])
def test_one_number_for_a_sequence_or_for_words(cli: Cli, option: str) -> None:
    """It keeps the features where they stand last, and is the whole size of what has one axis."""
    Path("n.yaml").write_text(
        "inputs: {x: [20, 8], y: [5]}\nlayers:\n  - lstm: {units: 4, from: x}\n  - linear: {units: 3, from: y}\n"
    )
    sizes = ("x=30", "y=7")
    if option == "--set":
        out = cli("sweep", "n.yaml", "--set", sizes[0], "--set", sizes[1], "-f", "csv").out
        whole = cli("sweep", "n.yaml", "--set", "x=30x8", "--set", "y=7", "-f", "csv").out
        assert out.splitlines()[1].split(",")[2:] == whole.splitlines()[1].split(",")[2:]
    else:
        out = cli("table", "n.yaml", "--input", sizes[0], "--input", sizes[1], "-f", "json").out
        assert [layer["input_shapes"] for layer in json.loads(out)["layers"]] == [[[30, 8]], [[7]]]


def test_explain_counts_the_batch_in_the_formula(cli: Cli) -> None:
    out = cli("explain", "s.yaml", "conv1", "--batch", "2", "--dtype", "float16", "--convention", "macs").out
    assert "= out_C*out_H*out_W*itemsize*batch\n  = 4*6*6*2*2\n  = 576 bytes" in out
    assert "= 4*6*6*3*3*3*2\n  = 7,776 multiply-adds" in out
    assert "batch" not in cli("explain", "s.yaml", "conv1").out.replace("batch 1", "")
    figures = json.loads(cli("explain", "s.yaml", "conv1", "--batch", "2", "-f", "json").out)["figures"]
    layer = json.loads(cli("table", "s.yaml", "--batch", "2", "-f", "json").out)["layers"][0]
    found = {figure["figure"]: figure["value"] for figure in figures}
    assert (found["macs"], found["memory"]) == (layer["macs"], layer["output_bytes"])
    assert (found["params"], found["flop"]) == (layer["params"], layer["flops"])


@pytest.mark.parametrize("size", ["1GiB", "100MiB", "11000000", "80GB", "3TiB"])
def test_fit_tells_its_figures_apart(cli: Cli, size: str) -> None:
    found = next(
        line
        for line in cli("memory", "lenet5", "--fit", size, "-f", "latex").out.splitlines()
        if "largest" in line
    )
    needs, more = found.partition("it needs ")[2].split(", one more ")
    limit = found.partition("fits ")[2].partition(" is ")[0]
    assert needs != more
    assert needs.split()[1] == more.split()[1] == limit.split()[1]
    assert float(needs.split()[0].replace(",", "")) < float(more.split()[0].replace(",", ""))


@pytest.mark.parametrize("command", [name for name in COMMANDS if "--input" in FLAGS[name]])
def test_kb_is_the_lectures(cli: Cli, command: str) -> None:
    """KB and MB stand for 1024 bytes in the lecture convention, KiB and MiB everywhere else."""
    arguments = [command, *ARGUMENTS[command].split()]
    if "--convention" not in FLAGS[command]:
        assert not {"KB", "MB", "(KB)"} & {*cli(*arguments).out.split()}
        return
    if command == "explain":
        arguments += ["--batch", "4"]  # more than 1024 bytes
    lecture, macs = (cli(*arguments, "--convention", name).out for name in ("lecture", "macs"))
    assert "KB" in lecture
    assert "KiB" not in lecture
    assert "KiB" in macs
    assert "KB" not in macs


def test_findings_as_sarif_by_their_ending(cli: Cli) -> None:
    assert cli("check", "s.yaml", "-o", "o.sarif").code == 0
    assert Path("o.sarif").read_text() == cli("check", "s.yaml", "-f", "sarif").out


def test_what_is_shown_of_a_sweep_goes_to_a_file_by_its_ending(cli: Cli) -> None:
    grid = ("sweep", "s.yaml", "--set", "width=2,4,6")
    assert cli(*grid, "--where", "width > 2", "-o", "o.csv").out == ""
    assert [line.split(",")[0] for line in Path("o.csv").read_text().splitlines()] == ["width", "4", "6"]
    assert cli(*grid, "--pareto", "-params", "-o", "o.json").code == 0
    assert [row["width"] for row in json.loads(Path("o.json").read_text())["rows"]] == [6]
    shown = cli(*grid, "-o", "o.jsonl", "-f", "csv").out
    assert len(shown.splitlines()) == 4
    assert len(Path("o.jsonl").read_text().splitlines()) == 3


def test_a_run_in_every_mode(cli: Cli) -> None:
    Path("names.txt").write_text("cat\ndog\nemu\n")
    labelled = json.loads(cli("run", "s.yaml", "--labels", "names.txt", "-f", "json").out)
    assert {one["name"] for one in labelled["classes"][0]["classes"]} == {"cat", "dog", "emu"}
    rows = list(csv.reader(io.StringIO(cli("run", "s.yaml", "--labels", "names.txt", "-f", "csv").out)))
    assert (rows[0], len(rows)) == (["sample", "class", "probability"], 4)
    both = json.loads(cli("run", "s.yaml", "--trace", "--backward", "-f", "json").out)
    assert next(iter(both["forward"]))["layer"] == "conv1"
    assert [layer["layer"] for layer in both["backward"]][-1] == "conv1"
    for options in (["--trace"], ["--backward"], ["--trace", "--backward"]):
        rows = list(csv.DictReader(io.StringIO(cli("run", "s.yaml", *options, "-f", "csv").out)))
        assert [row["layer"] for row in rows] == ["conv1", "batchnorm1", "relu1", "flatten1", "linear1"]
        assert ("mean" in rows[0], "upstream" in rows[0]) == ("--trace" in options, "--backward" in options)
    verified = json.loads(cli("run", "s.yaml", "--verify", "-f", "json").out)
    assert (verified["wrong"], len(verified["layers"])) == (0, 5)
    assert cli("run", "s.yaml", "--verify", "-f", "csv").out.count("as counted") == 5


def rows_of_the_page() -> Iterator[str]:
    """The rows of the last table of docs/options.md."""
    for command, absent in ABSENT.items():
        reasons: dict[str, list[str]] = {}
        for option, reason in absent.items():
            reasons.setdefault(reason, []).append(f"`{option}`")
        words = "; ".join(f"{', '.join(options)}: {reason}" for reason, options in reasons.items())
        yield f"| `{command}` | {words} |\n"


def test_the_page_of_options() -> None:
    page = (TESTS.parent / "docs" / "options.md").read_text()
    assert page.endswith("".join(rows_of_the_page()))
    described = {
        flag
        for line in page.splitlines()
        if line.startswith("| `--")
        for flag in line.split("`")[1].split()[:1]
    }
    assert described == {*OPTIONS}


@pytest.mark.parametrize(
    "arguments",
    ["table s.yaml -o ./s.yaml", "check lenet5 s.yaml -o link.yaml", "compare lenet5 s.yaml -o s.yaml",
     "roofline lenet5 --devices s.yaml --device a -o s.yaml", "run s.yaml --input x=s.yaml -o s.yaml",
     "fold s.yaml --weights s.npz -o s.npz", "augment --data s.yaml -o s.yaml"],
)  # fmt: skip
def test_no_command_writes_over_what_it_reads(
    cli: Cli, arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SPEC)
    Path("link.yaml").symlink_to("s.yaml")
    result = cli(*arguments.split())
    assert result.code == 2
    assert "is what the command reads; name another file" in " ".join(result.err.replace("│", "").split())
    assert Path("s.yaml").read_text() == SPEC


def test_a_file_that_is_replaced_keeps_its_mode(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").touch(0o600)
    assert cli("table", "lenet5", "-o", "t.csv").code == 0
    assert Path("t.csv").stat().st_mode & 0o777 == 0o600
    assert Path("t.csv").read_text().startswith("layer,")


@pytest.mark.parametrize(
    ("given", "input"), [("64", [3, 64, 64]), ("64x48", [3, 64, 48]), ("image=64x48", [3, 64, 48]), ("1x64x48", [1, 64, 48])]
)  # fmt: skip
def test_sizes_without_channels_keep_them(
    cli: Cli, given: str, input: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text("inputs: {image: [3, 32, 32]}\nlayers:\n  - conv: {filters: 4, kernel: 3}\n")
    document = json.loads(cli("table", "s.yaml", "--input", given, "-f", "json").out)
    assert document["inputs"][0]["shape"] == input


@pytest.mark.parametrize("arguments", ["--set width=2 --set width=4", "--input 16 --input 3x16x16"])
def test_what_is_given_twice_is_refused(
    cli: Cli, arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SPEC)
    result = cli("table", "s.yaml", *arguments.split())
    assert (result.code, "is given twice" in result.err) == (2, True)
