"""Every command at every width: no line is longer than the terminal, and nothing is left out unsaid."""

import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from netcalc import PrintedReport, analyze
from netcalc.cli.app import COMMANDS
from netcalc.cli.common import load_graph
from netcalc.graph import Graph

from screens import (
    DEEP_FOLDER,
    DOCUMENTS,
    FOLDER,
    RECORDED,
    SCREENS,
    WIDTHS,
    recorded_lines,
    screen,
    write_files,
)

LONG_NAME = "third_stage_after_the_concatenation_of_both.0.convolution_with_a_long_name"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The specs that the commands read."""
    path = tmp_path_factory.mktemp("screens")
    write_files(path)
    return path


@pytest.fixture
def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in the folder of the specs, count a network once for all widths, and list a part of the zoo."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("netcalc.spec.bundled_files", lambda: ("alexnet", "bert", "gpt2", "shufflenet_v2"))
    monkeypatch.setenv("NO_COLOR", "1")
    commands = [f"netcalc.cli.{command}" for command in COMMANDS]
    for module in map(import_module, [*commands, "netcalc.api.compare", "netcalc.api.explain"]):
        for name, kept in (("load_graph", _load_graph), ("analyze", _analyze)):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, kept)


_graphs: dict[str, Graph] = {}
_reports: dict[str, tuple[Graph, PrintedReport]] = {}


def _load_graph(*given: Any) -> Graph:
    key = repr(given)
    if key not in _graphs:
        _graphs[key] = load_graph(*given)
    return _graphs[key]


def _analyze(graph: Graph, *given: Any) -> PrintedReport:
    key = repr((id(graph), given))
    if key not in _reports:
        _reports[key] = graph, analyze(graph, *given)
    return _reports[key][1]


def test_every_command_is_listed() -> None:
    assert SCREENS.keys() | DOCUMENTS == {*COMMANDS}


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("command", SCREENS)
def test_no_line_is_longer_than_the_terminal(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    for arguments in [*SCREENS[command], "--help"]:
        for width in WIDTHS:
            monkeypatch.setenv("COLUMNS", str(width))
            called, *shown = screen(f"{command} {arguments}").splitlines()
            assert shown, called
            for line in shown:
                assert cell_len(line) <= width, f"{called} at {width} columns: {line}"


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("width", RECORDED)
def test_screens_are_as_recorded(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    recorded = (FOLDER / f"{width}.txt").read_text(encoding="utf-8")
    shown = "\n".join(map(screen, recorded_lines()))
    assert shown == recorded, "read the difference, then run tests/render/screens.py"


PIPED = [
    "table long.yaml", "table long.yaml --all", "table long.yaml --bars", "memory long.yaml --all",
    "roofline long.yaml --device a100", "plan long.yaml --workers 1", "run long.yaml --trace",
    "run long.yaml --backward", "run long.yaml --verify", "compare alexnet long.yaml --diff",
]  # fmt: skip


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("line", PIPED)
def test_in_a_pipe_tables_take_the_width_they_need(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    out = screen(line)
    assert LONG_NAME in out
    assert "…" not in out
    assert "not shown at" not in out


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize(
    "line",
    [
        "table long.yaml", "check flawed.yaml --notes", "check bad.yaml", "memory long.yaml",
        "layers conv", "rules N301", "compare alexnet long.yaml", "explain alexnet conv1",
    ],
)  # fmt: skip
def test_a_terminal_with_colours_has_the_same_lines(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    plain = screen(line)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = screen(line)
    assert "\x1b[" in coloured
    lines = re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()
    assert [line.rstrip() for line in lines] == [line.rstrip() for line in plain.splitlines()]


@pytest.mark.usefixtures("in_folder")
def test_places_are_whole_in_a_pipe_and_cut_at_their_folders_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    places = [line for line in screen(f"check {DEEP_FOLDER}/bad.yaml").splitlines() if "--> " in line]
    assert all(line.startswith(" --> …") and cell_len(line) == 60 for line in places)
    monkeypatch.delenv("COLUMNS")
    assert f" --> {DEEP_FOLDER}/bad.yaml:5:121" in screen(f"check {DEEP_FOLDER}/bad.yaml")
    used = "  = used at long.yaml:15:5: - stage_of_convolutions: {name: third_stage_after…"
    assert used in screen("check long.yaml").splitlines()


def terminal_after(written: str) -> list[str]:
    """The lines that a terminal shows after a text, with carriage returns, cursor up and erased lines."""
    lines, row = [""], 0
    for piece in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", written):
        if piece == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif piece.endswith("A") and piece.startswith("\x1b"):
            row -= int(piece[2:-1] or 1)
        elif piece == "\x1b[2K":
            lines[row] = ""
        elif not piece.startswith("\x1b") and piece != "\r":
            lines[row] += piece
    return [line.rstrip() for line in lines]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("kind", ["xterm-256color", "dumb"])
def test_a_finished_progress_bar_leaves_nothing(folder: Path, kind: str) -> None:
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ.update(TERM=kind, COLUMNS="80", PYTHONPATH=":".join(sys.path))
        os.execv(sys.executable, [sys.executable, "-m", "netcalc", "check", "deep.yaml", "deep.yaml"])
    written = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        written += part
    os.waitpid(child, 0)
    os.close(terminal)
    text = written.decode()
    assert ("checking" in text) == (kind != "dumb")
    shown = terminal_after(text)
    assert shown[0].startswith(("warning", "Deep: "))
    assert not any("checking" in line or "━" in line for line in shown)


MOST = "--batch 2147483647"
LARGEST = [
    f"table long.yaml {MOST}", f"table long.yaml {MOST} --bars", f"table long.yaml {MOST} --tree --percent",
    "table alexnet --bars --batch 1000000", f"table alexnet {MOST} --bars", f"table alexnet {MOST}",
    f"table alexnet {MOST} --columns +macs,+other_ops,+output_bytes",
    "table long.yaml --columns layer,from", "table long.yaml --columns contents,from,input,shares,macs --depth 1",
    "table long.yaml --tree --columns layer,from,input,shares,params",
    f"memory long.yaml {MOST} --all --fit 1", f"check long.yaml {MOST} --notes",
    f"roofline long.yaml --device gtx580 {MOST} --images 1000000000000000 --epochs 1000000000",
    f"compare long.yaml deep.yaml {MOST} --diff", f"compare alexnet vgg16 {MOST} --diff",
    f"compare long.yaml deep.yaml vgg16 {MOST} --convention flops",
    f"sweep resnet_v.yaml --set width=8,1600 --set input=1600,3200 {MOST} --pareto macs",
    f"explain long.yaml first.convolution_with_a_long_name {MOST} --convention flops",
]  # fmt: skip


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("line", LARGEST)
def test_the_largest_figures_and_long_names_fit(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        called, *shown = screen(line).splitlines()
        assert shown, called
        assert not any("Error" in text or "error[" in text for text in shown)
        for text in shown:
            assert cell_len(text) <= width, f"{called} at {width} columns: {text}"


@pytest.mark.usefixtures("in_folder")
def test_nothing_is_lost_where_figures_are_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts and totals by kind stand below each other; a difference names the columns that it leaves out."""
    monkeypatch.setenv("COLUMNS", "60")
    charts = screen(f"table alexnet {MOST} --bars")
    assert [line.split()[1] for line in charts.splitlines() if line.startswith("layer ")] == [
        "memory", "params", "flop",
    ]  # fmt: skip
    kinds = [line for line in charts.splitlines() if line.startswith("by kind")]
    assert [line.partition("lines")[2].split()[0] for line in kinds] == ["memory", "params", "flop"]
    conv = [line for line in charts.splitlines() if line.startswith("convolution")]
    assert len(conv) == 3
    assert all("%" in line for line in conv)
    assert "not shown at 60 columns: memory (KB)" in screen(f"compare alexnet vgg16 {MOST} --diff")
    reads = screen("table long.yaml --columns layer,from")
    assert "input C" not in reads
    assert all("…" in line for line in reads.splitlines() if line.startswith("third_"))


@pytest.mark.usefixtures("in_folder")
def test_charts_in_a_pipe_have_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take 100 columns, and more only where names need it, which are whole."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert 90 < max(map(cell_len, screen("table alexnet --bars").splitlines())) <= 100
    shown = screen("table long.yaml --bars --depth 1").splitlines()
    assert 90 < max(cell_len(line) for line in shown if "█" in line or "─" in line) <= 100
    long = screen("table long.yaml --bars").splitlines()
    assert max(map(cell_len, long)) > 100
    assert any(line.startswith(LONG_NAME) for line in long)
