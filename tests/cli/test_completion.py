"""What Tab offers: every parameter by its values, and each shell driven as it is."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from netcalc.cli import completion
from netcalc.cli.app import COMMANDS, app
from netcalc.cli.completers import COMPLETERS
from netcalc.cli.completion_table import table_text

Offers = Callable[..., list[str]]
FILES = {
    "data",
    "recipe",
    "resume",
    "weights",
    "upstream",
    "labels",
    "devices",
    "histograms",
    "output",
    "plot_file",
    "pictures",
    "runs",
}
"""Parameters for which a shell's own files are right."""
FREE = {"checkpoint_every", "factors", "prompt", "size", "fit", "scheduler", "mean", "std"}
"""Parameters of which nobody knows the values."""


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Offers:
    """What bash is offered for words, of which the last one is not finished."""

    def call(*words: str) -> list[str]:
        monkeypatch.setenv("_NETCALC_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(["netcalc", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        assert completion.complete() == 0
        return capsys.readouterr().out.split("\n")[:-1]

    return call


def test_the_table_of_options_is_current() -> None:
    assert Path(completion.TABLE).read_text(encoding="utf-8") == table_text(), (
        "run python docs/make_completions.py"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_parameter_completes(command: str) -> None:
    """By its choices, by a completer, or by what a shell does alone."""
    group: Any = typer.main.get_command(app)
    for parameter in group.get_command(None, command).params:
        is_text = not getattr(parameter, "is_flag", False) and parameter.type.name in ("str", "text")
        if is_text:
            assert parameter.name in COMPLETERS.keys() | FILES | FREE, parameter.name
        else:
            assert parameter.name not in COMPLETERS.keys() | FILES | FREE, parameter.name


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ta", "table"),
        ("--ver", "--version"),
        ("no-command al", ""),
        ("table resnet10", "resnet101 resnet101-paper"),
        ("table alexnet.", "alexnet.yaml"),
        ("table ow", "own.yaml"),
        ("table ne", "nets/ nets/a.yaml nets/deep/"),
        ("table nets/d", "nets/deep/ nets/deep/b\\ c.yml"),
        ("compare alexnet vgg11", "vgg11 vgg11_bn"),
        ("show lenet5-", "lenet5-1998"),
        ("list alexnet-", "alexnet-two-gpu"),
        ("table own.yaml --variant ", "small large"),
        ("table --variant small own.yaml --variant l", "large"),
        ("table own.yaml --set ", "width= width=8 sizes= sizes=\\[1,2\\]"),
        ("table own.yaml --variant large --set width=", "64"),
        ("table own.yaml --set width = ", "8"),
        ("sweep own.yaml --set i", "input="),
        ("explain own.yaml c", "conv1 conv2"),
        ("explain own.yaml --variant small conv2", "conv2"),
        ("gradcheck own.yaml --layer fi", "first1.conv1"),
        ("table own.yaml --input ", "left=3x8x8 right=3x8x8"),
        ("table lenet5 --input ", "1x28x28"),
        ("run lenet5 --input ", "1x28x28 random"),
        ("table alexnet --format ", "rich json csv markdown latex"),
        ("table alexnet --format=m", "markdown"),
        ("table alexnet --format = m", "markdown"),
        ("table alexnet -f j", "json"),
        ("table alexnet --conv", "--convention"),
        ("table alexnet --convention m", "macs"),
        ("memory alexnet --mi", "--mixed"),
        ("table alexnet --columns layer,para", "layer,params layer,param_bytes"),
        ("table alexnet --columns +para", "+params +param_bytes"),
        ("table alexnet --only lrn,con", "lrn,conv lrn,convolution"),
        ("table alexnet --only linear,con", "linear,conv linear,convolution"),
        ("layers conv", "conv conv_transpose"),
        ("rules N10", "N101 N102 N103 N104 N105 N106 N107"),
        ("rules E40", "E401 E402 E403 E404"),
        ("check alexnet --ignore N101,N10", "N101,N102 N101,N103 N101,N104 N101,N105 N101,N106 N101,N107"),
        ("roofline alexnet --device v100", "v100"),
        ("roofline alexnet --devices cards.yaml --device min", "mine"),
        ("memory unet --checkpoint s", "sqrt"),
        ("memory unet --optimiser m", "momentum"),
        ("sweep own.yaml --set width=1,2 --pareto macs,w", "macs,width"),
        ("sweep own.yaml --set width=1,2 --where wi", "width"),
        ("sweep own.yaml --set width=1,2 --plot x=macs,y=wid", "width"),
        ("table wrong.yaml --set ", "n= n=1"),
        ("explain wrong.yaml ", ""),
        ("table header.yaml --set ", ""),
        ("table header.yaml --variant ", ""),
        ("explain none.yaml ", ""),
        ("table . --set ", ""),
        ("table - --set ", ""),
        ("run lenet5 --weights ", ""),
        ("augment --augment flip,c", "flip,crop flip,cutout"),
        ("augment --data-format ui", "uint16 uint32"),
        ("augment --part t", "train test"),
        ("schema ", ""),
    ],
)  # fmt: skip
def test_what_is_offered(
    offers: Offers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, offered: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", None)  # a spec from there would be waited for
    Path("nets/deep").mkdir(parents=True)
    for path in ("nets/a.yaml", "nets/notes.txt", "nets/deep/b c.yml"):
        Path(path).touch()
    Path("own.yaml").write_text(OWN)
    Path("header.yaml").write_text(
        "args: {no-name: 1, n: 2}\nvariants: {a: {n: 1}}\ninput: [3]\nlayers: [relu]\n"
    )
    Path("wrong.yaml").write_text("args: {n: 1}\ninput: [3]\nlayers:\n  - no_such_kind\n")
    Path("cards.yaml").write_text(DEVICES)
    found = offers(*line.split(" "))
    expected = re.split(r"(?<!\\) ", offered) if offered else [""]
    assert [*found] == expected


OWN = """
args: {width: 8, sizes: [1, 2]}
variants:
  small: {width: 4}
  large: {width: 64}
inputs: {left: [3, 8, 8], right: [3, 8, 8]}
blocks:
  first: [conv: {filters: $width, kernel: 1}]
layers:
  - first: {from: left}
  - conv: {name: conv1, filters: $width, kernel: 3}
  - conv: {name: conv2, filters: 4, kernel: 3}
"""
DEVICES = "mine: {name: Mine, source: me, bandwidth_giga: 1, memory_gib: 1, peak_tera: {float32: 1}}\n"


@pytest.mark.parametrize(
    ("shell", "line", "shown"),
    [
        ("zsh", "netcalc rules E40", """_arguments '*: :(("E401" "E402" "E403" "E404"))'"""),
        (
            "zsh",
            "netcalc table alexnet --conv",
            """_arguments '*: :(("--convention":"What a FLOP is. lecture\\\\: """,
        ),
        ("zsh", "netcalc run lenet5 --weights ", "_files"),
        ("fish", "netcalc rules E40", "E401\nE402\nE403\nE404\n"),
        ("fish", "netcalc table alexnet --dt", "--dtype\tThe element type that memory is counted in.\n"),
        ("fish", "netcalc table 'alexnet' --format=j", "--format=json\n"),
        ("powershell", "netcalc table alexnet --format j", "json::: \n"),
    ],
)
def test_the_forms_of_shells(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str, line: str, shown: str
) -> None:
    monkeypatch.setenv("_NETCALC_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
    monkeypatch.setenv("_TYPER_COMPLETE_WORD_TO_COMPLETE", line.split(" ")[-1])
    assert completion.complete() == 0
    assert capsys.readouterr().out.startswith(shown)


def test_nothing_is_offered_that_a_shell_would_run(
    offers: Offers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "x$(touch y).yaml",
        "x`touch y`.yaml",
        "x;y.yaml",
        "x'y.yaml",
        "x\ny.yaml",
        "x&y.yaml",
        "xy.yaml",
    ):
        Path(name).touch()
    assert offers("table", "x") == ["xy.yaml"]


@pytest.mark.parametrize(
    ("line", "rooms"),
    [
        ("ta", {"netcalc.cli"}),
        ("table alexnet --fo", {"netcalc.cli"}),
        ("table alexn", {"netcalc.cli", "netcalc.spec", "netcalc.diagnostics", "netcalc.tensor"}),
        ("explain alexnet co", {"netcalc.cli", "netcalc.spec", "netcalc.diagnostics", "netcalc.tensor", "netcalc.graph", "netcalc.layers"}),
    ],
)  # fmt: skip
def test_completing_imports_what_it_needs(line: str, rooms: set[str]) -> None:
    words = ["netcalc", *line.split(" ")]
    code = (
        "import sys; from netcalc.cli.completion import complete; complete(); "
        "print(*{'.'.join(name.split('.')[:2]) for name in sys.modules if name.startswith('netcalc.')}, "
        "*{'typer', 'rich', 'numpy'} & {*sys.modules}, file=sys.stderr)"
    )
    environment = {
        **os.environ, "_NETCALC_COMPLETE": "complete_bash", "COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert set(done.stderr.split()) == rooms


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the command netcalc as it is installed, the shells' scripts, and a spec."""
    folder = tmp_path_factory.mktemp("shell")
    command = folder / "netcalc"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nsys.argv[0] = 'netcalc'\nfrom netcalc.__main__ import main\nmain()\n"
    )
    command.chmod(0o755)
    (folder / "my net.yaml").write_text(OWN)
    for name in ("bash", "zsh", "fish"):
        if shutil.which(name):
            environment = {**os.environ, "_NETCALC_COMPLETE": f"source_{name}"}
            script = subprocess.run(
                [command], env=environment, capture_output=True, text=True, check=True
            ).stdout
            (folder / f"script.{name}").write_text(script)
    return folder


TYPED = [
    ("netcalc tab\t", "netcalc table "),
    ("netcalc explain my\\ net.yaml fi\t", "netcalc explain my\\ net.yaml first1.conv1 "),
    ("netcalc table alexnet --format=js\t", "netcalc table alexnet --format=json "),
    ("netcalc table resnet18 --set width=6\t", "netcalc table resnet18 --set width=64 "),
    ("netcalc table alexnet --columns layer,weigh\t", "netcalc table alexnet --columns layer,weights"),
    ("netcalc table my\t", "netcalc table my\\ net.yaml "),
    ("netcalc table my\\ net.yaml --variant la\t", "netcalc table my\\ net.yaml --variant large "),
]
"""What is typed, and what then stands in the line."""


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_a_shell_at_a_terminal(shell: Path, name: str) -> None:
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    start = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[name]
    with_completion = "autoload -Uz compinit; compinit -D -u; " if name == "zsh" else ""
    terminal = Terminal(start, shell)
    try:
        terminal.type(f"{with_completion}source ./script.{name}; echo re''ady\n", "ready")
        for typed, shown in TYPED:
            terminal.type(typed, shown)
            terminal.type("\x15\n", "> ")
    finally:
        terminal.close()


class Terminal:
    """A shell on a pseudo-terminal."""

    def __init__(self, command: list[str], folder: Path) -> None:
        pty = pytest.importorskip("pty", reason="a pseudo-terminal needs a POSIX system")
        self.process, self.file = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            path = f"{folder}{os.pathsep}{os.environ['PATH']}"
            os.execvpe(
                command[0],
                command,
                {
                    **os.environ,
                    "PATH": path,
                    "TERM": "dumb",
                    "PS1": "> ",
                    "HOME": str(folder),
                    "COLUMNS": "200",
                },
            )

    def type(self, text: str, awaited: str) -> None:
        """Type a text, and wait until the terminal shows another."""
        import select

        os.write(self.file, text.encode())
        seen, deadline = "", time.monotonic() + 60
        while awaited not in seen:
            assert time.monotonic() < deadline, f"{text!r} gave {seen!r}, not {awaited!r}"
            if select.select([self.file], [], [], 0.1)[0]:
                seen += os.read(self.file, 65536).decode(errors="replace").replace("\x07", "")

    def close(self) -> None:
        """End the shell."""
        os.close(self.file)
        os.waitpid(self.process, 0)


def test_fish(shell: Path) -> None:
    """Which has a command that gives its completions."""
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    environment = {**os.environ, "PATH": f"{shell}{os.pathsep}{os.environ['PATH']}", "HOME": str(shell)}
    lines = [(typed.replace("\t", ""), shown) for typed, shown in TYPED]
    code = "source ./script.fish\n" + "".join(f"complete -C {line!r}; echo ===\n" for line, _ in lines)
    done = subprocess.run(
        ["fish", "--no-config", "-c", code], cwd=shell, env=environment, capture_output=True, text=True
    )
    answers = done.stdout.split("===\n")[:-1]
    for (_, shown), answer in zip(lines, answers, strict=True):
        last = re.split(r"(?<!\\) ", shown.strip())[-1].replace("\\", "")
        assert last in [line.partition("\t")[0] for line in answer.splitlines()], answer
