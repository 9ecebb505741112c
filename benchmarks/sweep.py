"""Sweeps: two local processes against one, and the same rows from one core, two processes and Dask.

Counts the same variants of MobileNet v2 in turn, a whole process of netcalc each, start-up included.
With the extra `dask` installed, a cluster of two processes on this machine takes part as well.

    python benchmarks/sweep.py          # 10,000 variants
    python benchmarks/sweep.py 1000

Prints how many times faster two processes are than one; exits with 1 when the rows differ.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

WIDTHS = 100


def sweep(variants: int, name: str, *options: str) -> tuple[float, bytes]:
    """How long one sweep takes, and the rows that it writes."""
    widths = ",".join(f"{0.5 + step / 100:.2f}" for step in range(WIDTHS))
    sizes = ",".join(str(64 + 2 * step) for step in range(variants // WIDTHS))
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "rows.jsonl")
        command = [sys.executable, "-m", "netcalc", "sweep", "mobilenet_v2", "--format", "csv"]
        command += ["--set", f"width={widths}", "--set", f"input={sizes}", "-o", str(rows), *options]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        found = rows.read_bytes()
    count = found.count(b"\n")
    print(
        f"{name:<14} {count:,} variants in {seconds:.1f} s, {seconds / count * 1000:.2f} ms each", flush=True
    )
    return seconds, found


def main() -> int:
    """Count everywhere, compare the rows, print the speed-up."""
    variants = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    one, rows = sweep(variants, "one process")
    two, same = sweep(variants, "two processes", "--jobs", "2")
    alike = rows == same
    try:
        from distributed import LocalCluster
    except ImportError:
        print("Dask is not installed, so no cluster takes part")
    else:
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            _, same = sweep(variants, "Dask cluster", "--scheduler", cluster.scheduler_address)
        alike = alike and rows == same
    verdict = "the same" if alike else "NOT THE SAME"
    print(f"two processes are {one / two:.2f} times as fast as one; the rows are {verdict}")
    return int(not alike)


if __name__ == "__main__":
    sys.exit(main())
