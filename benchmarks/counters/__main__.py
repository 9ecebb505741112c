"""netcalc beside torchinfo, fvcore, ptflops, calflops, thop and Keras's summary, on six networks.

    python benchmarks/counters [--times] [TOOL …]

runs each tool on each network in a process of its own, writes what it reports and says to measured.json
and the tables of docs/comparison.md. With names of tools it runs those alone. `--times` measures as well
how long a whole process takes on ResNet-50. What is not measured stays as it was recorded. All of it takes
about 15 minutes on two cores.

Make an environment of its own for it (thop needs Python 3.11):

    python3.11 -m venv /tmp/counters
    /tmp/counters/bin/pip install -e . -r benchmarks/counters/requirements.txt
    /tmp/counters/bin/pip install --no-deps keras-hub==0.32.0 kagglehub==1.0.3 kagglesdk==0.1.38
    /tmp/counters/bin/python benchmarks/counters
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

from models import BROKEN, FOLDER
from tables import PAGE, with_tables
from tools import TOOLS

RECORD = FOLDER / "measured.json"
COUNTERS = ("torchinfo", "fvcore", "ptflops", "calflops", "thop")
PACKAGES = ("torch", "torchvision", *COUNTERS, "keras", "keras-hub")
ROUNDS = 3
TIMED = "resnet50"
WORTH_KEEPING = re.compile(r"Unsupported operator|zero-op|Cannot find rule|never called|No positional inputs")
COLOUR = re.compile(r"\x1b\[\d*m")
BUILD_ALONE = f"from models import pytorch_model; pytorch_model('{TIMED}')"


def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """A process of the same Python, in this folder."""
    environment = os.environ | {"KERAS_BACKEND": "torch", "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=FOLDER, env=environment, capture_output=True, text=True, check=False
    )


def measured(network: str, tool: str) -> dict[str, Any]:
    """What a tool reports of a network, and the lines in which it tells what it left out."""
    ended = run(["tools.py", tool, network])
    if ended.returncode:
        return {"error": last_line(ended.stderr)}
    *printed, result = ended.stdout.splitlines()
    lines = (COLOUR.sub("", line) for line in (*printed, *ended.stderr.splitlines()))
    said = dict.fromkeys(line[:120] for line in lines if WORTH_KEEPING.search(line))
    return {**json.loads(result), "said": list(said)}


def last_line(text: str) -> str:
    """The last line that is not empty."""
    return next(line for line in reversed(text.splitlines()) if line.strip())


def on_broken(tool: str) -> str:
    """What a tool says of a network whose shapes do not fit."""
    if tool == "netcalc":
        return run(["-m", "netcalc", "table", f"{BROKEN}.yaml"]).stderr.rstrip()
    ended = run(["tools.py", tool, BROKEN])
    return last_line(ended.stderr)


def seconds() -> dict[str, float]:
    """The median time of a whole process on one network, the tools in turn."""
    commands = {tool: ["tools.py", tool, TIMED] for tool in TOOLS if not tool.startswith("pytorch")}
    commands |= {"netcalc": ["-m", "netcalc", "table", TIMED], "model alone": ["-c", BUILD_ALONE]}
    times: dict[str, list[float]] = {tool: [] for tool in commands}
    for turn in range(ROUNDS + 1):
        for tool, command in commands.items():
            start = time.perf_counter()
            run(command)
            if turn:  # the first reads files from the disk
                times[tool].append(time.perf_counter() - start)
    return {tool: round(statistics.median(taken), 3) for tool, taken in times.items()}


def main() -> None:
    """Measure, write the record and the tables of the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", action="store_true", help="measure the times too")
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=f"of {', '.join(TOOLS)}")
    asked = parser.parse_args()
    if unknown := set(asked.tools) - TOOLS.keys():
        parser.error(f"no such tool: {', '.join(sorted(unknown))}")
    tools = asked.tools or list(TOOLS)
    record: dict[str, Any] = json.loads(RECORD.read_text())
    record["python"] = ".".join(map(str, sys.version_info[:3]))
    record["versions"] = {name: version(name).partition("+")[0] for name in PACKAGES}
    if asked.times:
        record["seconds"] = seconds()
    record["broken"] |= {tool: on_broken(tool) for tool in tools}
    pairs = [(network, tool) for network in record["networks"] for tool in tools]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (network, tool), counted in zip(
            pairs, pool.map(lambda pair: measured(*pair), pairs), strict=True
        ):
            record["networks"][network][tool] = counted
            print(network, tool, counted, flush=True)
    RECORD.write_text(json.dumps(record, indent=1) + "\n")
    PAGE.write_text(with_tables(PAGE.read_text(), record))


if __name__ == "__main__":
    main()
