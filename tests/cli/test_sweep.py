"""netcalc sweep: formats, files that grow and resume, processes, clusters, plots."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from netcalc.cli.executors import sweep_executor

Cli = Callable[..., Any]
NETCALC = [sys.executable, "-m", "netcalc"]
SPEC = """name: Small
input: [3, 16, 16]
args: {width: 4, depth: 1, act: relu}
layers:
  - conv: {filters: $width, kernel: 3, repeat: $depth}
  - $act
  - global_avgpool
  - linear: {units: 2}
"""
GRID = ["--set", "width=2,4,-1", "--set", "input=8,16"]
MANY = ["--set", f"width={','.join(map(str, range(1, 101)))}", "--set", "input=8,16,24,32"]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SPEC)
    return "small.yaml"


def test_the_table(cli: Cli, small: str) -> None:
    result = cli("sweep", small, *GRID)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "Small  ·  width, input varied  ·  6 variants"
    assert lines[2].split() == "width input layers params multiply-adds flop outputs weights".split()
    assert re.sub("[█▏▎▍▌▋▊▉]", "", lines[4]).split() == "2 8 4 62 1,948 2,020 592 bytes 248 bytes".split()
    assert "-1     16  E404: small.yaml:5:21: filters is a whole number" in result.out
    assert "2 of 6 variants failed" in lines
    assert "lecture convention" in result.out


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_wider_than_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    options = ["--set", "width=0.5,1", "--set", "input=16,224,3x224x160", "--where", "width < 1"]
    monkeypatch.setenv("COLUMNS", str(width))
    lines = cli("sweep", "mobilenet_v2", *options).out.splitlines()
    assert max(map(len, lines)) <= width


def test_every_format_holds_the_same_rows(cli: Cli, small: str) -> None:
    document = json.loads(cli("sweep", small, *GRID, "-f", "json", "--batch", "2").out)
    assert (document["name"], document["batch"], document["convention"]) == ("Small", 2, "lecture")
    assert document["varied"] == {"width": [2, 4, -1], "input": [8, 16]}
    rows = document["rows"]
    lines = cli("sweep", small, *GRID, "-f", "jsonl", "--batch", "2").out.splitlines()
    for line, row in zip(lines, rows, strict=True):
        assert row.items() <= json.loads(line).items()
    listed = list(csv.DictReader(io.StringIO(cli("sweep", small, *GRID, "-f", "csv", "--batch", "2").out)))
    expected = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    assert listed == expected


def test_where_and_pareto_choose_what_is_shown(cli: Cli, small: str) -> None:
    def shown(*options: str) -> list[tuple[int, int]]:
        lines = cli("sweep", small, *GRID, "-f", "jsonl", *options).out.splitlines()
        return [(row["width"], row["input"]) for row in map(json.loads, lines)]

    assert shown("--where", "macs < 5000 and input == 8") == [(2, 8), (4, 8)]
    assert shown("--pareto", "macs,-params") == [(2, 8), (4, 8)]
    assert shown("--pareto", "params:max") == [(4, 8), (4, 16)]
    assert shown("--where", "input == 16", "--pareto", "macs") == [(2, 16)]
    out = cli("sweep", small, *GRID, "--where", "input == 16", "--pareto", "macs").out
    assert out.startswith("Small  ·  width, input varied  ·  1 of 6 variants with input == 16 on the Pareto")
    assert "--where and --pareto leave them out" in out


def test_a_file_holds_every_row_whatever_is_shown(cli: Cli, small: str) -> None:
    expected = cli("sweep", small, *GRID, "-f", "jsonl").out
    cli("sweep", small, *GRID, "-o", "rows.jsonl", "--where", "width == 2", "--pareto", "macs")
    assert Path("rows.jsonl").read_text() == expected
    assert cli("sweep", small, *GRID, "-o", "rows.jsonl", "-f", "jsonl").out == expected
    assert Path("rows.jsonl").read_text() == expected


def test_a_file_cut_anywhere_becomes_the_whole_one(cli: Cli, small: str) -> None:
    cli("sweep", small, *GRID, "-o", "whole.jsonl")
    whole = Path("whole.jsonl").read_bytes()
    shown = cli("sweep", small, *GRID).out
    for end in range(0, len(whole), 7):
        Path("rows.jsonl").write_bytes(whole[:end])
        result = cli("sweep", small, *GRID, "-o", "rows.jsonl")
        assert (result.code, result.out) == (0, shown)
        assert Path("rows.jsonl").read_bytes() == whole


@pytest.mark.parametrize("which", ["every line", "the first half", "one in the middle"])
def test_a_file_with_the_ends_of_lines_of_windows_becomes_the_whole_one(
    cli: Cli, small: str, which: str
) -> None:
    cli("sweep", small, *GRID, "-o", "whole.jsonl")
    whole = Path("whole.jsonl").read_bytes()
    lines = whole.splitlines()
    windows = {"every line": range(6), "the first half": range(3), "one in the middle": [2]}[which]
    for end in (6, 4, 3):
        kept = [line + (b"\r\n" if number in windows else b"\n") for number, line in enumerate(lines[:end])]
        Path("rows.jsonl").write_bytes(b"".join(kept))
        assert cli("sweep", small, *GRID, "-o", "rows.jsonl").err == ""
        assert Path("rows.jsonl").read_bytes() == whole
    assert sorted(os.listdir()) == ["rows.jsonl", small, "whole.jsonl"]
    Path("rows.jsonl").write_bytes(lines[0] + b"\r\n" + lines[1] + b"\r")  # torn between the two
    cli("sweep", small, *GRID, "-o", "rows.jsonl")
    assert Path("rows.jsonl").read_bytes() == whole


@pytest.mark.parametrize("zeros", [1, 4096])
def test_the_zeros_of_a_power_cut_are_cut_off(cli: Cli, small: str, zeros: int) -> None:
    cli("sweep", small, *GRID, "-o", "whole.jsonl")
    whole = Path("whole.jsonl").read_bytes()
    for end in (0, len(whole) // 2, whole.index(b"\n") + 1, len(whole)):
        Path("rows.jsonl").write_bytes(whole[:end] + bytes(zeros))
        result = cli("sweep", small, *GRID, "-o", "rows.jsonl")
        assert (result.code, Path("rows.jsonl").read_bytes()) == (0, whole)
        assert result.err == f"{zeros:,} bytes of zeros at the end of rows.jsonl are cut off\n"
    for other in (b"x" + bytes(zeros), bytes(zeros) + whole):
        Path("rows.jsonl").write_bytes(other)
        assert "is not of this sweep" in " ".join(cli("sweep", small, *GRID, "-o", "rows.jsonl").err.split())
        assert Path("rows.jsonl").read_bytes() == other


def test_rows_that_are_there_are_not_counted_again(
    cli: Cli, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("sweep", small, *GRID, "-o", "rows.jsonl")
    kept = Path("rows.jsonl").read_bytes().splitlines(keepends=True)[:4]
    Path("rows.jsonl").write_bytes(b"".join(kept))
    counted = []
    from netcalc.analysis import sweep

    real = sweep.count_variants
    monkeypatch.setattr(sweep, "count_variants", lambda *given: counted.extend(given[1]) or real(*given))
    cli("sweep", small, *GRID, "-o", "rows.jsonl")
    assert counted == [4, 5]


@pytest.mark.parametrize(
    "content",
    [
        b"precious\n", b"precious", b"\n", b"[1, 2]\n", b"{}\n", b"\x00\xff\n", b"x" * 10_000,
    ],
)  # fmt: skip
def test_what_is_no_row_of_the_sweep_is_left_alone(cli: Cli, small: str, content: bytes) -> None:
    Path("rows.jsonl").write_bytes(content)
    result = cli("sweep", small, *GRID, "-o", "rows.jsonl")
    assert (result.code, result.out) == (2, "")
    assert "line 1 of rows.jsonl is not of this sweep" in " ".join(result.err.replace("│", " ").split())
    assert Path("rows.jsonl").read_bytes() == content


def test_rows_of_another_sweep_are_refused(cli: Cli, small: str) -> None:
    cli("sweep", small, *GRID, "-o", "rows.jsonl")
    before = Path("rows.jsonl").read_bytes()
    assert cli("sweep", small, *GRID, "-o", "rows.jsonl", "--batch", "2").code == 2
    assert cli("sweep", small, "--set", "width=2,4", "--set", "input=8,16", "-o", "rows.jsonl").code == 2
    assert cli("sweep", small, "--set", "width=4,2", "--set", "input=8,16", "-o", "rows.jsonl").code == 2
    Path(small).write_text(SPEC.replace("units: 2", "units: 3"))
    assert cli("sweep", small, *GRID, "-o", "rows.jsonl").code == 2
    assert Path("rows.jsonl").read_bytes() == before


def test_a_line_that_was_tampered_with_is_refused(cli: Cli, small: str) -> None:
    cli("sweep", small, *GRID, "-o", "rows.jsonl")
    lines = Path("rows.jsonl").read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace('"macs"', '"mac"')
    Path("rows.jsonl").write_text("".join(lines))
    result = cli("sweep", small, *GRID, "-o", "rows.jsonl")
    assert result.code == 2
    assert "line 2 of rows.jsonl" in result.err


def test_two_sweeps_do_not_write_one_file(cli: Cli, small: str) -> None:
    fcntl = pytest.importorskip("fcntl", reason="files are locked where the system has fcntl")
    with open("rows.jsonl", "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "another sweep writes to rows.jsonl" in cli("sweep", small, *GRID, "-o", "rows.jsonl").err
    assert cli("sweep", small, *GRID, "-o", "rows.jsonl").code == 0


def test_processes_give_the_same_rows(small: str) -> None:
    def out(*options: str) -> str:
        command = [*NETCALC, "sweep", small, *MANY, "-f", "jsonl", *options]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    one = out()
    assert one.count("\n") == 400
    assert out("--jobs", "2", "-o", "rows.jsonl") == one
    assert Path("rows.jsonl").read_text() == one


def _started(small: str, *options: str, rows: bool = True) -> "subprocess.Popen[str]":
    """A sweep that has written its first rows, or just made its file."""
    command = [*NETCALC, "sweep", small, *_LONG, "-f", "csv", "-o", "rows.jsonl", *options]
    run = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    file = Path("rows.jsonl")
    deadline = time.monotonic() + 20
    while not file.exists() or (rows and not file.stat().st_size):
        assert run.poll() is None, "the sweep ended before it wrote a row"
        assert time.monotonic() < deadline, "no row was written"
        time.sleep(0.002)
    return run


_LONG = [
    "--set",
    f"width={','.join(map(str, range(1, 101)))}",
    "--set",
    "depth=20,30,40",
    "--set",
    "input=96",
]


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_sweep_goes_on(small: str, jobs: str, how: signal.Signals) -> None:
    with _started(small, "--jobs", jobs) as run:
        os.killpg(run.pid, how)  # as a terminal does it, to every process
        _, err = run.communicate(timeout=20)
    assert run.returncode == (130 if how is signal.SIGINT else -how)
    assert "Traceback" not in err
    part = Path("rows.jsonl").read_bytes()
    command = [*NETCALC, "sweep", small, *_LONG, "-f", "csv", "--jobs", jobs, "-o"]
    subprocess.run([*command, "rows.jsonl"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*command, "whole.jsonl"], check=True, stdout=subprocess.DEVNULL)
    whole = Path("whole.jsonl").read_bytes()
    assert 0 < len(part) < len(whole)
    assert Path("rows.jsonl").read_bytes() == whole
    if how is signal.SIGINT:
        count = part.count(b"\n")
        assert (
            err
            == f"interrupted; {count} of 300 variants are in rows.jsonl, and the same command goes on from there\n"
        )


@pytest.mark.parametrize("delay", [0.0, 0.1])
def test_an_interrupt_while_processes_start_is_as_quiet(small: str, delay: float) -> None:
    with _started(small, "--jobs", "2", rows=False) as run:
        time.sleep(delay)
        os.killpg(run.pid, signal.SIGINT)
        _, err = run.communicate(timeout=20)
    assert run.returncode == 130
    # nothing is said where the signal comes while the modules of the processes are imported
    assert re.fullmatch(r"(interrupted; \d+ of 300 variants are in rows.jsonl, and the same .*\n)?", err)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="the system masks no signals")
def test_ctrl_c_does_not_reach_the_processes_from_their_first_moment() -> None:
    with sweep_executor(2, "", 10) as counting:
        blocked = counting.executor.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result(timeout=20)
        handler = counting.executor.submit(signal.getsignal, signal.SIGINT).result(timeout=20)
    assert signal.SIGINT in blocked
    assert handler is signal.SIG_IGN
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_process_that_is_lost_is_told(small: str) -> None:
    with _started(small, "--jobs", "2") as run:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        if not children.exists():
            pytest.skip("this system does not tell a process's children")
        for child in children.read_text().split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
        _, err = run.communicate(timeout=20)
    assert run.returncode == 2
    assert "error[E914]: the processes that counted are lost" in err
    assert "Traceback" not in err


@pytest.mark.filterwarnings("default")  # what a cluster's own threads warn of is not ours
def test_a_cluster_gives_the_same_rows(small: str) -> None:
    distributed = pytest.importorskip("distributed", reason="the optional extra `dask` is not installed")
    command = [*NETCALC, "sweep", small, *MANY, "-f", "jsonl"]
    one = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        run = subprocess.run(
            [*command, "--scheduler", cluster.scheduler_address, "-o", "rows.jsonl"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == one == Path("rows.jsonl").read_text()


_LOST = """
import sys
from distributed import LocalCluster
from netcalc.cli import executors
from netcalc.cli.app import run
executors._WAITING = 2
with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
    real = executors._ClusterResults.__call__
    def lose(self, future):
        executors._ClusterResults.__call__ = real
        cluster.scale(0)
        return real(self, future)
    executors._ClusterResults.__call__ = lose
    code = run([*sys.argv[1:], "--scheduler", cluster.scheduler_address])
    sys.exit(code)
"""


def test_a_cluster_without_workers_is_not_waited_for_for_ever(small: str) -> None:
    pytest.importorskip("distributed", reason="the optional extra `dask` is not installed")
    spec = SPEC.replace("repeat: $depth", "repeat: $(3000 * depth)").replace("16, 16", "9000, 9000")
    Path(small).write_text(spec)  # slow enough that its worker is gone before the end
    command = [sys.executable, "-c", _LOST, "sweep", small, *MANY[:2], "-o", "rows.jsonl"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 2, run.stderr
    assert "the cluster has had no workers for 2 seconds" in " ".join(run.stderr.split())
    assert "help: the same command goes on where its --output ends" in run.stderr


def test_a_sample(cli: Cli, small: str) -> None:
    whole = cli("sweep", small, *MANY, "-f", "jsonl").out.splitlines()
    one = cli("sweep", small, *MANY, "-f", "jsonl", "--sample", "30", "--seed", "5").out.splitlines()
    assert len(one) == 30
    assert [line for line in whole if line in set(one)] == one


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_plot(cli: Cli, small: str, suffix: str) -> None:
    pytest.importorskip("matplotlib", reason="the optional extra `plots` is not installed")
    file = Path(f"rows.{suffix}")
    options = ["--plot", "x=macs,y=params,by=width,kind=line", "--plot-file", str(file), "--pareto", "macs"]
    result = cli("sweep", small, *GRID, *options)
    assert (result.code, result.err) == (0, f"drawn into {file}\n")
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix]
    assert file.read_bytes().startswith(start)
    assert sorted(os.listdir()) == [file.name, small]


def test_a_plot_says_what_it_draws(cli: Cli, small: str) -> None:
    pytest.importorskip("matplotlib", reason="the optional extra `plots` is not installed")
    cli(
        "sweep",
        small,
        *MANY,
        "--plot",
        "x=macs y=params by=input",
        "--plot-file",
        "a.svg",
        "--pareto",
        "macs",
    )
    drawn = Path("a.svg").read_text()
    for word in ("Small", "macs (logarithmic)", "params (logarithmic)", "input", "24", "Pareto front"):
        assert f">{word}<" in drawn
    first = drawn
    cli(
        "sweep",
        small,
        *MANY,
        "--plot",
        "x=macs y=params by=input",
        "--plot-file",
        "a.svg",
        "--pareto",
        "macs",
    )
    assert Path("a.svg").read_text() == first


def test_nothing_left_to_draw(cli: Cli, small: str) -> None:
    pytest.importorskip("matplotlib", reason="the optional extra `plots` is not installed")
    result = cli("sweep", small, *GRID, "--where", "width > 9", "--plot", "x=macs,y=params")
    assert (result.code, result.err) == (0, "no variant is left to draw\n")
    assert not Path("sweep.png").exists()


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        (
            "matplotlib",
            ["--plot", "x=macs,y=params"],
            "pip install 'netcalc-nn[plots]', or '.[plots]' in a checkout",
        ),
        (
            "distributed",
            ["--scheduler", "tcp://127.0.0.1:1"],
            "pip install 'netcalc-nn[dask]', or '.[dask]' in a checkout",
        ),
    ],
)
def test_an_extra_that_is_not_installed(
    cli: Cli, small: str, monkeypatch: pytest.MonkeyPatch, module: str, options: list[str], words: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr("netcalc.cli.sweep.is_available", lambda: False)
    result = cli("sweep", small, *GRID, *options)
    assert (result.code, result.out) == (2, "")
    assert words in " ".join(result.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "say what varies"),
        (["--set", "widht=1"], "did you mean width?"),
        (["--set", "width=1", "--where", "prams < 1"], "did you mean params?"),
        (["--set", "width=1", "--where", "params"], "a condition is true or false"),
        (["--set", "width=1", "--pareto", "mac"], "did you mean macs?"),
        (["--set", "width=1", "--plot", "x=macs"], "a plot needs x= and y="),
        (["--set", "width=1", "--plot", "x=macs,y=params,z=1"], "'z=1' is not x="),
        (["--set", "width=1", "--plot", "x=macs,y=params,kind=pie"], "not 'pie'"),
        (["--set", "width=1", "--plot", "x=macs,y=params,by=w"], "there is no column 'w'"),
        (["--set", "act=relu", "--plot", "x=act,y=params"], "no column of numbers 'act'"),
        (["--set", "width=1", "--plot", "x=macs,y=params", "--plot-file", "a.doc"], "ends in .png"),
        (["--set", "width=1", "--plot", "x=macs,y=params", "--plot-file", "no/a.png"], "there is no folder no"),
        (["--set", "width=1", "--plot-file", "a.png"], "--plot says what is drawn"),
        (["--set", "width=1", "-o", "no/rows.jsonl"], "no such file or directory"),
        (["--set", "width=1", "-o", "."], "no file that rows can be added to"),
        (["--set", "width=1", "-o", "/dev/null"], "no file that rows can be added to"),
        (["--set", "width=1", "-o", "a\0b"], "NUL"),
        (["--set", "width=1", "--sample", "0"], "Invalid value"),
        (["--set", "width=1", "--jobs", "0"], "Invalid value"),
        (["--set", "width=1", "--scheduler", "nowhere"], "no scheduler answers at nowhere"),
        (["--set", "width=" + ",".join(map(str, range(4000))), "--set",
          "depth=" + ",".join(map(str, range(4000)))], "16,000,000 variants of 16,000,000 are too many"),
    ],
)  # fmt: skip
def test_wrong_use_ends_with_2_and_says_why(cli: Cli, small: str, options: list[str], words: str) -> None:
    if "--scheduler" in options:
        pytest.importorskip("distributed", reason="the optional extra `dask` is not installed")
    if "--plot" in options:
        pytest.importorskip("matplotlib", reason="the optional extra `plots` is not installed")
    result = cli("sweep", small, *options)
    assert (result.code, result.out) == (2, "")
    assert words in " ".join(result.err.replace("│", " ").split())
    assert os.listdir() == [small]
