"""Standard streams that are closed, full or left early, and Ctrl-C: an exit code, a word where it can be read, no traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from netcalc.cli.app import COMMANDS

from helpers import METRICS

NETCALC = f"{sys.executable} -m netcalc"
SPEC = "input: [4]\nlayers: [{linear: {units: 2}}]\n"
ARGUMENTS = {
    "table": "t.yaml", "check": "t.yaml", "compare": "t.yaml lenet5", "memory": "t.yaml", "roofline": "t.yaml --device a100",
    "sweep": "t.yaml --set input=4,5", "explain": "t.yaml linear1", "run": "t.yaml --backward", "plan": "t.yaml",
    "gradcheck": "t.yaml", "init": "t.yaml", "fold": "t.yaml --weights no.npz -o f.npz", "list": "", "show": "lenet5", "layers": "",
    "rules": "", "schema": "", "devices": "",
    "augment": "--data d.npz -o o.png", "train": "t.yaml --data e.npz --epochs 1 --validation 0 --workers 1",
    "evaluate": "t.yaml --weights no.npz --data d.npz",
    "predict": "t.yaml --weights no.npz --data d.npz",
    "curves": "m.jsonl",
}  # fmt: skip
"""For each command what it is run with here."""


def in_shell(folder: Path, line: str) -> tuple[int, str, str]:
    """The exit code of a shell's line, and what it wrote."""
    (folder / "t.yaml").write_text(SPEC)
    (folder / "m.jsonl").write_text(METRICS)
    np.savez(folder / "d.npz", x=np.zeros((2, 1, 4, 4), np.uint8), y=np.arange(2))
    np.savez(folder / "e.npz", x=np.zeros((2, 4), "f4"), y=np.arange(2))
    made = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=folder, capture_output=True, text=True, timeout=120
    )
    for noise in ("Traceback", "Exception ignored", "Fatal"):
        assert noise not in made.stderr, made.stderr
    return made.returncode, made.stdout, made.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_without_standard_input_and_output(tmp_path: Path, command: str) -> None:
    code, _, err = in_shell(tmp_path, f"{NETCALC} {command} {ARGUMENTS[command]} <&- >&-")
    assert code == 2
    assert "there is no weight file" in err or "the output cannot be written: Bad file descriptor" in err


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("table t.yaml <&-", 0, ""),
        ("table t.yaml 2>&-", 0, ""),
        ("table t.yaml >&- 2>&-", 2, ""),
        ("table t.yaml <&- >&- 2>&-", 2, ""),
        ("table - <&-", 2, "standard input cannot be read: bad file descriptor"),
        ("table no.yaml 2>&-", 2, ""),
        ("table --no 2>&-", 2, ""),
        ("table t.yaml >/dev/full", 2, "the output cannot be written: No space left on device"),
        ("table t.yaml --format json >/dev/full", 2, "the output cannot be written: No space left on device"),
        ("table t.yaml >/dev/full 2>/dev/full", 2, ""),
        ("table no.yaml 2>/dev/full", 2, ""),
        ("table --no 2>/dev/full", 2, ""),
        ("--help >&-", 2, "the output cannot be written: Bad file descriptor"),
        ("--version >&-", 2, "the output cannot be written: Bad file descriptor"),
        ("show resnet50 | head -c 1", None, ""),
        ("run t.yaml --trace | true", None, ""),
    ],
)
def test_streams_that_are_closed_or_full(tmp_path: Path, line: str, code: int | None, says: str) -> None:
    found, _, err = in_shell(tmp_path, f"{NETCALC} {line}")
    assert found == code or (code is None and found in (0, 1))
    assert says in " ".join(err.split())


def test_a_file_does_not_take_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    code, _, _ = in_shell(tmp_path, f"{NETCALC} run t.yaml -o o.npz >&-")
    assert code == 2
    with np.load(tmp_path / "o.npz") as written:
        assert list(written) == ["linear1"]


INTERRUPTED = """
import os, sys, netcalc.__main__ as main
open_handles = main._open_handles
main._open_handles = lambda: (open_handles(), os.write(2, b"x"))
sys.argv = ["netcalc", "run", "lenet5", "--trace"]
main.main()
"""


def test_ctrl_c_at_any_time_ends_quietly() -> None:
    """Over the first 300 ms, in which most modules are imported."""
    codes = []
    for number in range(30):
        run = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert run.stderr is not None
        run.stderr.read(1)
        time.sleep(0.01 * number)
        os.kill(run.pid, signal.SIGINT)
        _, err = run.communicate(timeout=60)
        assert not err.strip(), err.decode()
        codes.append(run.returncode)
    assert set(codes) <= {130, 0}
    assert 130 in codes
