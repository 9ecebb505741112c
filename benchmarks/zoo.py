"""The zoo: `netcalc list`, which builds and counts every bundled variant, against one table.

Whole processes in turn; prints how many times the time of `netcalc table alexnet.yaml` the list
takes, and that for each variant. Nothing is cached, so there is nothing that an edit could spoil.

    python benchmarks/zoo.py
"""

import statistics
import subprocess
import sys
import time

ROUNDS = 5


def seconds(*arguments: str) -> float:
    """How long one run of netcalc takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "netcalc", *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Time both in turn and print the ratio."""
    from netcalc.spec import bundled_names

    seconds("list")
    times = [(seconds("table", "alexnet.yaml"), seconds("list")) for _ in range(ROUNDS)]
    table, listed = (statistics.median(column) for column in zip(*times, strict=True))
    count = len(bundled_names())
    ratio = listed / table
    print(
        f"netcalc list of {count} variants takes {ratio:.1f} times one table, {ratio / count:.2f} a variant"
    )


if __name__ == "__main__":
    main()
