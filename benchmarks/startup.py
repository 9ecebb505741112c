"""Start-up: whole processes of `netcalc table alexnet.yaml` against a minimal app, in turn.

The minimal app stands on the same libraries: a Typer app of two commands, with one argument and one
option, that composes the same YAML and prints a Rich table of one row. Run it with the Python of the
environment that netcalc is installed in:

    python benchmarks/startup.py

Prints the median of each and that of the ratios of each turn, and exits with 1 when that is above 1.2.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 41
LIMIT = 1.2
ALEXNET = Path(__file__).parent.parent / "architectures" / "alexnet.yaml"

MINIMAL = """
import typer
import yaml
from rich.console import Console
from rich.table import Table

app = typer.Typer()


@app.command()
def table(spec: str, batch: int = 1) -> None:
    with open(spec) as file:
        root = yaml.compose(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    shown = Table("keys", "batch")
    shown.add_row(str(len(root.value)), str(batch))
    Console().print(shown)


@app.command()
def other(spec: str) -> None:
    print(spec)


app()
"""


def seconds(command: list[str]) -> float:
    """How long one run of a command takes, start to end."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def main() -> int:
    """Time both in turn and print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        minimal_app = Path(folder, "minimal.py")
        minimal_app.write_text(MINIMAL)
        minimal = [sys.executable, str(minimal_app), "table", str(ALEXNET)]
        netcalc = [sys.executable, "-m", "netcalc", "table", str(ALEXNET)]
        for command in (minimal, netcalc) * 2:  # compiled modules are written, files are in memory
            seconds(command)
        times = [(seconds(minimal), seconds(netcalc)) for _ in range(ROUNDS)]
    medians = [statistics.median(column) for column in zip(*times, strict=True)]
    ratio = statistics.median(netcalc / minimal for minimal, netcalc in times)
    print(
        f"minimal app {medians[0] * 1000:.0f} ms, netcalc table {medians[1] * 1000:.0f} ms: ratio {ratio:.2f}"
    )
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
