"""What differs on Windows and macOS, simulated: missing functions, code pages, line ends, open files, drives.

That no function of one system is called unguarded is what `mypy --platform win32` shows, in .ci/run.
"""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.api import executors
from netcalc.cli.app import COMMANDS, run
from netcalc.render.check.sarif import _uri
from netcalc.spec import bundled_names, library

from helpers import METRICS, TESTS

Cli = Callable[..., Any]
ARGUMENTS = {
    "table": "SPEC", "check": "SPEC alexnet", "compare": "SPEC lenet5", "memory": "SPEC",
    "roofline": "SPEC --device a100", "sweep": "SPEC --set input=4,5 -o rows.jsonl", "explain": "SPEC linear1",
    "run": "SPEC --batch 64 --training", "plan": "SPEC", "gradcheck": "SPEC", "init": "SPEC", "fold": "SPEC --weights no.npz -o f.npz",
    "show": "lenet5", "layers": "conv", "rules": "N301", "schema": "", "devices": "",
    "augment": "--data d.npz -o s.png", "curves": "m.jsonl",
    "train": "SPEC --data e.npz --epochs 1 --validation 0 --workers 1 -o a_run",
    "evaluate": "SPEC --weights a_run/weights.safetensors --data e.npz",
    "predict": "SPEC --weights a_run/weights.safetensors --data e.npz",
}  # fmt: skip
"""For each command but list, which takes seconds, what it is run with here.

SPEC has Windows' line ends, and backslashes in its path.
"""
SPEC = "args: {n: 2}\r\ninput: [4]\r\nlayers:\r\n  - linear: {units: $n}\r\n  # end\r\n"
WITHOUT = """
import importlib.abc, os, signal, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {"fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog"}:
            raise ImportError(name)
sys.meta_path.insert(0, Missing())
for name in ("fork", "forkpty", "register_at_fork", "sched_getaffinity", "sched_setaffinity", "sysconf", "killpg",
             "setsid", "getuid", "geteuid", "getpgid", "getloadavg", "nice", "mkfifo", "chown", "wait"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGALRM", "SIGCHLD", "pthread_sigmask", "alarm", "setitimer"):
    if hasattr(signal, name):
        delattr(signal, name)
from netcalc.cli.app import run
for line in sys.argv[1:]:
    print("$", line, flush=True)
    print("ended with", run(line.split(" ")) if line else 0, flush=True)
"""


def test_every_command_without_what_windows_lacks(tmp_path: Path) -> None:
    """On a cp1252 console, where every character is one that it has."""
    spec = r"some\folder\t.yaml"
    (tmp_path / spec).write_bytes(SPEC.encode())
    (tmp_path / "m.jsonl").write_text(METRICS)
    np.savez(tmp_path / "d.npz", x=np.zeros((2, 1, 4, 4), np.uint8), y=np.arange(2))
    np.savez(tmp_path / "e.npz", x=np.ones((8, 4), np.float32), y=np.arange(8) % 2)
    lines = [f"{command} {ARGUMENTS[command]}".rstrip().replace("SPEC", spec) for command in ARGUMENTS]
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "cp1252",
        "COLUMNS": "100",
        "PYTHONPATH": str(TESTS.parent),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT, *lines],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
    )
    out, err = done.stdout.decode("cp1252"), done.stderr.decode("cp1252")
    assert done.returncode == 0, err
    ends = [line for line in out.splitlines() if line.startswith("ended with")]
    assert ends == [f"ended with {2 if command == 'fold' else 0}" for command in ARGUMENTS], out + err
    assert {*COMMANDS} - {*ARGUMENTS} == {"list"}
    assert "there is no weight file no.npz" in " ".join(err.split())
    assert "\\u" not in out.partition("$ schema")[0]  # whose patterns have escapes of their own


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that asks for the platform takes Windows' way."""
    monkeypatch.setattr(sys, "platform", "win32")


def test_documents_are_utf8_whatever_the_code_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is redirected into a file can be read again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    spec = "name: Größe ≤ 3\ninput: [3]\nlayers:\n  - relu\n"
    Path("own.yaml").write_text(spec, encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written := io.BytesIO(), encoding="cp1252"))
    assert run(["show", "own.yaml"]) == 0
    assert written.getvalue().decode("utf-8").replace("\r\n", "\n") == spec


@pytest.mark.usefixtures("windows")
def test_a_pipe_that_is_closed_is_no_error_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(sys, "stdout", Closed())
    monkeypatch.setattr(sys, "stderr", err := io.StringIO())
    assert (run(["schema"]), err.getvalue()) == (1, "")
    sys.stdout.close()  # the null device in its place


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A sweep into a file, of which one row is there, with Windows' line ends."""
    monkeypatch.chdir(tmp_path)
    Path("t.yaml").write_text("input: [4]\nlayers: [linear: 2]\n")
    command = ("sweep", "t.yaml", "--set", "input=4,5", "-o", "rows.jsonl")
    assert run([*command]) == 0
    first, _ = Path("rows.jsonl").read_bytes().splitlines()
    Path("rows.jsonl").write_bytes(first + b"\r\n")
    return command


def locking(monkeypatch: pytest.MonkeyPatch, lock: Callable[[int, int, int], None]) -> None:
    """Windows' locks in place of fcntl's, and `replace` as it is there: not of files that are open."""
    replace = os.replace

    def refuse_open(source: str, target: str) -> None:
        if any(
            os.path.realpath(entry) == os.path.realpath(target) for entry in Path("/proc/self/fd").iterdir()
        ):
            raise PermissionError(errno.EACCES, "Access is denied")
        replace(source, target)

    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=lock, LK_NBLCK=2))  # type: ignore[arg-type]
    monkeypatch.setattr(os, "replace", refuse_open)


@pytest.mark.usefixtures("windows")
@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="open files are counted where there is /proc")
def test_rows_are_rewritten_where_an_open_file_cannot_be_replaced(
    rows: tuple[str, ...], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[int] = []
    locking(monkeypatch, lambda fd, mode, count: locked.append(os.lseek(fd, 0, os.SEEK_CUR)))
    result = cli(*rows)
    assert (result.code, result.err) == (0, "")
    assert [line[-1:] for line in Path("rows.jsonl").read_bytes().splitlines(keepends=True)] == [b"\n"] * 2
    assert b"\r" not in Path("rows.jsonl").read_bytes()
    assert locked == [2**31 - 2] * 2  # beyond the rows, which others may read


@pytest.mark.usefixtures("windows")
def test_two_sweeps_do_not_write_one_file_on_windows(
    rows: tuple[str, ...], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    locking(monkeypatch, refuse)
    result = cli(*rows)
    assert result.code == 2
    assert "another sweep writes to rows.jsonl now" in " ".join(result.err.split())


@pytest.mark.usefixtures("windows")
def test_windows_waits_for_61_processes_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def start(jobs: int, **_: Any) -> None:
        asked.append(jobs)
        raise OSError("not in this test")

    monkeypatch.setattr(executors, "_ProcessExecutor", start)
    for jobs in (8, 1024):
        with pytest.raises(OSError, match="not in this test"), executors.local_executor(jobs, 10_000):
            pass
    assert asked == [8, 61]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b.yaml", "a%20b.yaml"),
        ("nets\\a.yaml", "nets/a.yaml"),
        ("/nets/a.yaml", "file:///nets/a.yaml"),
        ("C:\\nets\\a b.yaml", "file:///C:/nets/a%20b.yaml"),
    ],
)
def test_the_uris_of_sarif(path: str, uri: str) -> None:
    assert _uri(path) == uri


def test_architectures_that_git_gave_windows_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    names, read = bundled_names(), library._read
    figures = netcalc.analyze(netcalc.load("resnet18")).totals
    monkeypatch.setattr(library, "_read", lambda path: read(path).replace(b"\n", b"\r\n"))
    assert bundled_names() == names
    assert netcalc.analyze(netcalc.load("resnet18")).totals == figures
