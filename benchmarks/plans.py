"""Holds the plan of every bundled network against its plain path: `python benchmarks/plans.py [NAME ...]`.

Each at the smallest of a few input sizes that it accepts, two samples, in float32, weights and running
statistics off their starting values. Exits 1 where outputs differ by more than 1e-4 of the largest.
"""

import sys
import time
from collections.abc import Iterator

import numpy as np
from verify import smallest

import netcalc
from netcalc.backend import InferencePlan, Network, random_inputs
from netcalc.backend.memory import forward_bytes, machine_bytes
from netcalc.spec import bundled_names

BATCH = 2
LARGEST = 1e-4


def stirred(network: Network) -> Network:
    """The network with batch norms that do something."""
    rng = np.random.default_rng(5)
    for name, array in network.parameters().items():
        if name.endswith("running_var"):
            array[...] = rng.uniform(0.5, 1.5, array.shape)
        elif array.ndim == 1:
            array += rng.normal(0, 0.1, array.shape).astype(array.dtype)
    return network


def errors(names: list[str]) -> Iterator[float]:
    """The largest error of each network's plan, with a printed line."""
    for name in names:
        graph = smallest(name)
        params = netcalc.analyze(graph).totals.param_bytes
        if 2 * (params + forward_bytes(graph, BATCH, 4, saving=())) > (machine_bytes() or 2**62) * 0.8:
            print(f"{name:24} left out: {params / 2**30:.1f} GiB of parameters", flush=True)
            continue
        network = stirred(Network(graph))
        x = random_inputs(graph, BATCH)
        start = time.perf_counter()
        plain = network.run(x, gradients=False).outputs
        between = time.perf_counter()
        with InferencePlan(network, BATCH) as plan:
            ready = time.perf_counter()
            planned = plan.run(x)
        end = time.perf_counter()
        error = max(float(np.abs(planned[key] - y).max() / np.abs(y).max()) for key, y in plain.items())
        fast = sum(operation.is_fast for operation in plan.program.operations)
        print(
            f"{name:24} {graph.inputs[0].type!s:>14} {len(graph.nodes):5} layers, {fast:4} of "
            f"{len(plan.program.operations):4} operations fast, error {error:.1e}, "
            f"plain {between - start:6.2f} s, planned {end - ready:6.2f} s"
            f"{'' if error < LARGEST else '   differs'}",
            flush=True,
        )
        yield error


if __name__ == "__main__":
    found = list(errors(sys.argv[1:] or list(bundled_names())))
    print(
        f"{len(found)} networks, {sum(error > LARGEST for error in found)} differ, at most {max(found):.1e}"
    )
    sys.exit(max(found) > LARGEST)
