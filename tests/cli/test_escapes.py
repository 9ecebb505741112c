"""What a spec or a file holds is shown by a terminal, never obeyed: control characters are escaped."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import category

import pytest
from rich.console import Console

import netcalc
from netcalc.render.table.text import table_lines
from netcalc.render.terminal import Terminal

Cli = Callable[..., Any]

SPEC = r"""
name: "N\e[31mred\a\u202Eevil\nnew"
source: "S\e]0;title\a\tx\u009b31m"
inputs: {"i\e": [3, 8, 8]}
args: {width: 4, word: "\e[2J"}
blocks:
  b: [relu]
layers:
  - conv: {name: "c\e5m", filters: $width, kernel: 3}
  - b: {name: "b\u009b"}
  - residual: {main: [{conv: {filters: 4, kernel: 3, pad: 1}}]}
  - conv: {name: "u\u202E", filters: 4, kernel: 3}
  - batchnorm
  - relu: {name: "r\u200bx"}
  - flatten
  - linear: {units: 4, name: "l\x9d"}
  - softmax
"""
WRONG = SPEC.replace("units: 4", r'units: "\e[31m"').replace("kernel: 3}", r'"k\e": 3}', 1)

COMMANDS = """
table S | table S --all | table S --bars | table S --depth 1 | table S --columns +rf | table S -f csv | table S -f json
table S -f markdown | table S -f latex | explain S nosuch | explain S conv1 | check S | check S -f json | check S -f sarif
check S -f github | check W | check W -f json | check W -f sarif | check W -f github | table W | memory S | memory S --all
memory S -f csv | memory S -f json | memory S --checkpoint block | roofline S --device a100 | compare S alexnet
roofline S --device a100 -f json | compare S alexnet --diff | compare S alexnet -f markdown | compare S alexnet --diff -f markdown
compare S alexnet -f json | run S --trace --backward | run S --verify | run S --labels L | gradcheck S | plan S
gradcheck S --layer nosuch | sweep S --set width=4,-1 | sweep S --set width=4 -f csv | sweep S --set width=4 -f json
sweep S --set width=4 -f jsonl | sweep S --set word=$word -f csv | run S --input nosuch=x | table S --input 3 | show W
compare S alexnet -f csv | compare S alexnet --diff -f latex | compare S alexnet -f latex | memory S -f markdown | memory S -f latex
plan S -f latex | plan S -f csv | plan S -f json | gradcheck S -f csv | gradcheck S -f json | run S -f markdown | run S --trace -f csv
run S --verify -f latex | check S -f markdown | check W -f latex | check W -f csv | sweep S --set width=4 -f latex
sweep S --set width=4 -f markdown | roofline S --device a100 -f csv | roofline S --device a100 -f latex | explain S conv1 -f latex
""".replace("\n", "|").split("|")


def obeyed(text: str) -> set[str]:
    """The characters that a terminal does not simply show, the ends of lines aside."""
    return {char for char in text if category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}


@pytest.mark.parametrize("command", [command.strip() for command in COMMANDS if command.strip()])
def test_no_command_lets_them_through(
    cli: Cli, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("S").write_text(SPEC, encoding="utf-8")
    Path("W").write_text(WRONG, encoding="utf-8")
    Path("L").write_text("a\x1b[31m\nb\x9b\nc\u202e\nd\n", encoding="utf-8")
    result = cli(*command.split())
    assert result.out + result.err
    assert not obeyed(result.out + result.err)
    if command.endswith("-f json") and "W" not in command:
        assert json.loads(result.out)


ODD = "\x1b]0;t\x07\u202e\u2066\u2028\x9b"


@pytest.mark.parametrize(
    "command",
    [
        f"--a{ODD}", f"a{ODD}", f"table --a{ODD}", f"table alexnet b{ODD}", f"table alexnet -f {ODD}",
        f"table alexnet --depth {ODD}", f"table n{ODD}", "check alexnet -\u202e", f"table --column{ODD}s alexnet",
        f"table alexnet --set {ODD}", f"table alexnet --variant {ODD}", f"run alexnet --weights {ODD}.npz",
        f"sweep spec --set w=1,2 --plot x=macs,y=params --plot-file z{ODD}.svg",
        f"sweep spec --set w=1,2 --plot x=macs,y=params --plot-file z{ODD}",
        f"sweep spec --set w=1,2 -o rows{ODD}", f"fold spec --weights w.npz -o f{ODD}.npz",
    ],
)  # fmt: skip
def test_no_argument_is_obeyed(
    cli: Cli, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = "input: [3, 8, 8]\nargs: {w: 4}\nlayers:\n  - conv: {filters: $w, kernel: 3}\n  - batchnorm\n"
    Path("spec").write_text(spec)
    Path(f"rows{ODD}").write_bytes(bytes(5))
    netcalc.Network(netcalc.load("spec")).save("w.npz")
    result = cli(*command.split(" "))
    assert result.code == (
        0 if command.startswith(("sweep spec", "fold")) and not command.endswith(f"z{ODD}") else 2
    )
    assert r"\u202e" in result.out + result.err
    assert not obeyed(result.out + result.err)


def test_only_one_place_tells_of_files() -> None:
    for path in Path(netcalc.__file__).parent.rglob("*.py"):
        assert path.name == "common.py" or "typer.echo" not in path.read_text(encoding="utf-8"), path


def test_json_has_the_names_as_they_are(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "s").write_text(SPEC, encoding="utf-8")
    document = json.loads(cli("table", str(tmp_path / "s"), "-f", "json").out)
    assert document["name"] == "N\x1b[31mred\a\u202eevil\nnew"
    assert document["layers"][0]["name"] == "c\x1b5m"


def test_a_terminal_with_colours(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(SPEC, encoding="utf-8")
    report = netcalc.analyze(netcalc.load(tmp_path / "s"))
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, color_system="truecolor", width=100)
    Terminal(console).write(table_lines(report, width=100))
    written = text.getvalue()
    assert r"N\x1b[31mred\x07\u202eevil\nnew" in written
    assert not {"\a", "\u202e", "\x9b"} & set(written)
    assert not obeyed(str(report)) | obeyed(report._repr_html_())


def test_a_plot(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s").write_text(SPEC.replace("evil", "$x_{$"), encoding="utf-8")
    result = cli(
        "sweep", "s", "--set", "width=2,4", "--plot", "x=macs,y=params,by=width", "--plot-file", "p.svg"
    )
    assert result.code == 0
    assert (
        "\x1b"
        not in cli(
            "sweep", "s", "--set", "width=2,4", "--plot", "x=macs,y=params", "--plot-file", "z\x1b]0;t.svg"
        ).err
    )
    picture = Path("p.svg").read_text(encoding="utf-8")
    assert r"\x1b[31mred\x07\u202e$x_{$" in picture
