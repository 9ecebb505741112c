"""Runs that are killed at random moments and go on, against one that is not.

PYTHONPATH=tests python tests/killed_runs.py 20
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import small_runs

OPTIONS = (
    "--data", "pictures.npz", "--batch", "8", "--augment", "crop:1,mixup", "--ema", "0.9",
    "--accumulate", "2", "--optimiser", "adamw:lr=0.01", "--workers", "1",
)  # fmt: skip
EVERY = ("--checkpoint-every", "2")
KEPT = ("weights.safetensors", "metrics.jsonl", "recipe.yaml", "spec.yaml")
_LONGEST = 4.0
"""Seconds after which a run is killed at the latest; it takes about one to begin."""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "netcalc", "train", *arguments]


def begun(folder: Path, name: str, epochs: int) -> subprocess.Popen[bytes]:
    """A run, in a folder that may have it already."""
    first = [*command("tiny.yaml"), *OPTIONS, "--epochs", str(epochs), "-o", name]
    arguments = command("--resume", name) if any(folder.glob(f"{name}/checkpoints/step-*")) else first
    return subprocess.Popen(
        [*arguments, *EVERY], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def killed(folder: Path, name: str, epochs: int, moments: int) -> tuple[int, list[int]]:
    """Kill a run at random moments until it has been killed so often, and let it end.

    Returns how often it was killed, and the steps of the checkpoints that it went on from.
    """
    draw, kills, steps = random.Random(1), 0, []
    while True:
        run = begun(folder, name, epochs)
        assert run.stderr is not None
        if kills < moments:
            time.sleep(draw.uniform(0.3, _LONGEST))
            if run.poll() is None:
                os.kill(run.pid, signal.SIGKILL)
                kills += 1
        errors = run.communicate()[1].decode()
        if run.returncode == 0:
            return kills, steps
        assert run.returncode == -signal.SIGKILL, errors
        found = sorted(folder.glob(f"{name}/checkpoints/step-*"))
        steps.append(int(found[-1].stem.partition("-")[2]) if found else 0)
        if not found:  # a run without a checkpoint begins anew
            subprocess.run(["rm", "-rf", name], cwd=folder, check=True)


def prepared(folder: Path) -> None:
    """The network and the data of the runs."""
    (folder / "tiny.yaml").write_text(small_runs.NETWORK)
    small_runs.pictures(folder)


def differing(folder: Path, first: str, second: str) -> list[str]:
    """The files of two runs that do not have the same bytes, the last checkpoint among them."""
    lasts = [
        sorted(path.name for path in (folder / run / "checkpoints").iterdir()) for run in (first, second)
    ]
    if lasts[0] != lasts[1]:
        return [f"checkpoints: {lasts[0]} and {lasts[1]}"]
    names = [*KEPT, f"checkpoints/{lasts[0][-1]}"]
    return [
        name
        for name in names
        if (folder / first / name).read_bytes() != (folder / second / name).read_bytes()
    ]


def main(moments: int) -> None:
    """Compare both runs."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepared(folder)
        epochs = 20 + 30 * moments
        whole = begun(folder, "whole", epochs)
        _, errors = whole.communicate()
        assert whole.returncode == 0, errors.decode()
        kills, steps = killed(folder, "killed", epochs, moments)
        print(f"killed {kills} times, with the last checkpoint at step {', '.join(map(str, steps))}")
        found = differing(folder, "whole", "killed")
        print(
            f"different: {', '.join(found)}"
            if found
            else f"equal bytes: {', '.join(KEPT)}, the last checkpoint"
        )
        sys.exit(bool(found))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
