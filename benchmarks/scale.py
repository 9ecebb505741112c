"""Scale: chains of 1,000, 10,000 and 100,000 layers from text to JSON.

Each size runs in a process of its own, as the command line does, without the start-up; the median of
several rounds counts for the small sizes. Prints the time a layer for each size and the peak memory,
and exits with 1 when 100,000 layers take more than 1.3 times the time a layer of 1,000, or more than
500 MB.

    python benchmarks/scale.py
"""

import gc
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = {1_000: 15, 10_000: 5, 100_000: 3}
LIMIT_RATIO = 1.3
LIMIT_MEGABYTES = 500


def chain(layers: int) -> str:
    """A spec of convolutions and activations, one after the other."""
    pair = "  - conv: {{name: conv{0}, filters: 16, kernel: 3, pad: 1}}\n  - relu\n"
    return "input: [16, 32, 32]\nlayers:\n" + "".join(pair.format(number) for number in range(layers // 2))


def measure(path: str) -> tuple[float, float]:
    """Seconds from text to JSON, and the peak memory in megabytes, of this process."""
    gc.disable()  # as the command line does
    from netcalc.analysis import analyze
    from netcalc.graph import elaborate
    from netcalc.render.table.json import json_chunks
    from netcalc.spec import open_source, read_spec

    elaborate(read_spec(open_source("alexnet")))  # everything is imported
    start = time.perf_counter()
    report = analyze(elaborate(read_spec(open_source(path))))
    with open(os.devnull, "w") as out:
        out.writelines(json_chunks(report, "0"))
    elapsed = time.perf_counter() - start
    return elapsed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured_in_subprocess(path: str) -> tuple[float, float]:
    """`measure` in a fresh process."""
    run = subprocess.run([sys.executable, __file__, path], check=True, capture_output=True, text=True)
    elapsed, megabytes = run.stdout.split()
    return float(elapsed), float(megabytes)


def main() -> int:
    """Measure every size and print what a layer takes."""
    microseconds: dict[int, float] = {}
    megabytes = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for layers, rounds in SIZES.items():
            path = Path(folder, f"chain{layers}.yaml")
            path.write_text(chain(layers))
            runs = [measured_in_subprocess(str(path)) for _ in range(rounds)]
            microseconds[layers] = statistics.median(elapsed for elapsed, _ in runs) / layers * 1e6
            megabytes = max(memory for _, memory in runs)
            print(f"{layers:>7,} layers: {microseconds[layers]:.1f} microseconds a layer, {megabytes:.0f} MB")
    ratio = microseconds[100_000] / microseconds[1_000]
    print(f"a layer among 100,000 takes {ratio:.2f} times one among 1,000")
    return int(ratio > LIMIT_RATIO or megabytes > LIMIT_MEGABYTES)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(*measure(sys.argv[1]))
    else:
        sys.exit(main())
