"""Random graphs by the thousand: `python benchmarks/random_graphs.py [--graphs 2000] [--first 0] [--steps]`.

Each runs as a plan in both dtypes, at every batch, with one worker and two, and as a training step over
three rounds; each is held against the plain path, and its table against execution. For every second graph
the engines' limits of size are so small that it goes beyond them. Exits 1 where one differs, with the
smallest spec that still does. 2,000 graphs take some 40 minutes; with `--steps`, which holds the training
steps alone against the plain path, 500 take some five.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "laws")]

from engines import BATCHES, plan_differences, small_limits, step_differences, table_differences  # noqa: E402
from helpers import graph_of  # noqa: E402
from plain_runs import PlainRuns  # noqa: E402
from random_graphs import Spec, random_spec, text  # noqa: E402
from shrinking import shrunk  # noqa: E402

Check = Callable[[PlainRuns], Iterator[str]]


def checks() -> dict[str, Check]:
    """What is held against the plain path, by what it is called in a message."""
    named: dict[str, Check] = {"the table": table_differences}
    for batch, workers in product(BATCHES, (1, 2)):
        how = f"batch {batch}, {workers} worker{'s' * (workers > 1)}"
        for dtype in ("float32", "float64"):
            named[f"a plan in {dtype}, {how}"] = partial(
                plan_differences, dtype=dtype, batch=batch, workers=workers
            )
        if workers <= batch:
            named[f"a training step, {how}"] = partial(
                step_differences, dtype="float64", batch=batch, workers=workers
            )
    named["a training step in float32"] = partial(step_differences, dtype="float32", batch=3, workers=2)
    return named


def difference(check: Check, runs: PlainRuns, is_small: bool) -> str:
    """The first difference of a check, an exception among them; nothing where there is none."""
    try:
        with small_limits(is_small):
            return next(check(runs), "")
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--graphs", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument(
        "--steps", action="store_true", help="hold training steps alone against the plain path"
    )
    asked = parser.parse_args()
    every, differing, layers = checks(), 0, 0
    if asked.steps:
        every = {name: check for name, check in every.items() if "training step" in name}
    for number, seed in enumerate(range(asked.first, asked.first + asked.graphs), 1):
        spec = random_spec(seed)
        runs = PlainRuns(graph_of(text(spec)))
        layers += len(runs.graph.nodes)
        for name, check in every.items():
            if difference(check, runs, seed % 2 == 1):
                differing += 1
                report(seed, name, check, spec)
                break
        if number % 20 == 0 or number == asked.graphs:
            print(
                f"\r{number} of {asked.graphs} graphs, {differing} differ",
                end="",
                file=sys.stderr,
                flush=True,
            )
    print(file=sys.stderr)
    print(f"{asked.graphs} graphs of {layers} layers, {len(every)} checks each: {differing} differ")
    return 1 if differing else 0


def report(seed: int, name: str, check: Check, spec: Spec) -> None:
    """Print the smallest spec that still differs."""
    is_small = seed % 2 == 1
    small = shrunk(spec, lambda graph: bool(difference(check, PlainRuns(graph), is_small)))
    found = difference(check, PlainRuns(graph_of(text(small))), is_small)
    print(f"seed {seed}: {name}: {found}\n{text(small)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
