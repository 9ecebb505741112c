"""Runs every bundled network and holds it against its table: `python benchmarks/verify.py [NAME ...]`.

Each is run at the smallest of a few input sizes that it accepts, or on 32 tokens, one sample, in
float32, with multiply-adds counted as they are done. Exits 1 where a layer differs.
"""

import sys
import time
from collections.abc import Iterator

import netcalc
from netcalc.backend import Network
from netcalc.backend.memory import forward_bytes, machine_bytes
from netcalc.backend.verification import verify
from netcalc.diagnostics import NetcalcError
from netcalc.graph import Graph
from netcalc.spec import bundled_names

SIZES = (32, 64, 96, 128, 160, 192, 224)
TOKENS = 32


def smallest(name: str) -> Graph:
    """The network at the smallest input that it accepts; its own where it takes no other."""
    own = netcalc.load(name)
    (given, *others) = own.inputs
    if len(given.type.shape) == 1:
        return netcalc.load(name, args={"length": TOKENS})
    if others or len(given.type.shape) < 3:
        return own
    channels, *space = given.type.shape
    for size in SIZES:
        shape = (channels, *space[:-2], size, size)
        if size >= min(space[-2:]):
            break
        try:
            return netcalc.load(name, input=shape)
        except NetcalcError:
            continue
    return own


def rows(names: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Verify each network, printing a line; what differs is given back."""
    for name in names:
        graph = smallest(name)
        params = netcalc.analyze(graph).totals.param_bytes
        if params + forward_bytes(graph, 1, 4, saving=()) > (machine_bytes() or 2**62) * 0.8:
            print(f"{name:24} left out: {params / 2**30:.1f} GiB of parameters", flush=True)
            continue
        start = time.perf_counter()
        verified = verify(Network(graph))
        seconds = time.perf_counter() - start
        wrong = [f"{row.node.full_name}: {problem}" for row in verified for problem in row.wrong]
        looped = sum(row.looped for row in verified)
        macs = sum(row.macs for row in verified)
        shape = "x".join(map(str, graph.inputs[0].type.shape))
        verdict = "differs" if wrong else "as counted"
        print(
            f"{name:24} {shape:>14} {len(verified):6,} layers {macs:18,} macs, {looped:14,} by the loop"
            f"  {verdict}  {seconds:.0f} s",
            flush=True,
        )
        yield name, wrong


if __name__ == "__main__":
    different = {name: wrong for name, wrong in rows(sys.argv[1:] or bundled_names()) if wrong}
    for name, wrong in different.items():
        print(f"\n{name}", *wrong[:20], sep="\n  ")
    print(f"\n{len(different)} networks differ from their tables")
    sys.exit(bool(different))
