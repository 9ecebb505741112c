"""Completion: whole processes that answer Tab, against a minimal app that completes the name of a command.

Run it with the Python of the environment that netcalc is installed in:

    python benchmarks/completion.py

Prints the ratio of the medians for each line, and exits with 1 when one is above 1.5.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15
LIMIT = 1.5
LINES = (
    "ta", "table res", "table alexnet --co", "table alexnet --format ", "table alexnet --columns pa",
    "table resnet18 --set wi", "table resnet18 --variant re", "explain alexnet co", "explain resnet50 stage1",
    "check alexnet --ignore N", "rules N3", "layers co", "roofline alexnet --device a",
)  # fmt: skip

MINIMAL = """
import typer

app = typer.Typer()


@app.command()
def table(spec: str, batch: int = 1) -> None:
    print(spec, batch)


@app.command()
def other(spec: str) -> None:
    print(spec)


app(prog_name="minimal")
"""


def seconds(command: list[str], line: str, variable: str) -> float:
    """How long the answer to a line takes, start to end."""
    words = ["command", *line.split(" ")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
        variable: "complete_bash",
    }
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    taken = time.perf_counter() - start
    if not done.stdout.strip():
        raise ValueError(f"nothing was offered for {line!r}")
    return taken


def main() -> int:
    """Time all in turn and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        minimal_app = Path(folder, "minimal.py")
        minimal_app.write_text(MINIMAL)
        minimal, netcalc = [sys.executable, str(minimal_app)], [sys.executable, "-m", "netcalc"]
        times: dict[str, list[float]] = {line: [] for line in ("", *LINES)}
        for round in range(ROUNDS + 1):
            for line, taken in times.items():
                if line:
                    found = seconds(netcalc, line, "_NETCALC_COMPLETE")
                else:
                    found = seconds(minimal, "ta", "_MINIMAL_COMPLETE")
                taken += [found] if round else []  # compiled modules are written, files are in memory
    medians = {line: statistics.median(taken) for line, taken in times.items()}
    bare = medians.pop("")
    print(f"minimal app {bare * 1000:.0f} ms")
    for line, median in medians.items():
        print(f"{median * 1000:6.0f} ms, ratio {median / bare:.2f}: netcalc {line}")
    return int(max(medians.values()) > LIMIT * bare)


if __name__ == "__main__":
    sys.exit(main())
