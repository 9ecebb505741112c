"""Inference: plans against PyTorch eager (NCHW and channels_last) and onnxruntime, where they are installed.

Each tool is a process of its own that stays. They take turns, one forward that is not timed and one that
is, so that what else the machine does meets all alike; the median of all turns counts. All take the same
cores. Prints the milliseconds of the plan, the ratio of its time to each other's, the machine's rate of
matrix products beside it, and the peak memory of VGG-16 at batch 8.

    python benchmarks/inference.py [NET ...]

with an interpreter that has netcalc, and what is to be compared with. OPENBLAS_... is taken out of the
environment, so that OpenBLAS chooses its kernels itself.
"""

import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

TURNS = 9
PAUSE = 0.05
"""Seconds after which another tool's threads have gone to sleep."""
CORES = len(os.sched_getaffinity(0))
NETS = ("alexnet", "vgg16", "resnet18", "resnet50", "mobilenet_v2")
LIMITS = {
    "alexnet": (1.15, 0.85), "vgg16": (0.75, 0.45), "resnet18": (1.05, 0.75), "resnet50": (1.15, 0.85),
    "mobilenet_v2": (0.8, 0.55),
}  # fmt: skip
"""The ratios to PyTorch's NCHW that are to be reached, at batch 1 and 8."""
BATCHES = (1, 8)

Forward = Callable[[], object]


def plan(name: str, x: np.ndarray[Any, Any]) -> Forward:
    """This project's plan."""
    import netcalc

    engine = netcalc.InferencePlan(netcalc.Network(netcalc.load(name, input=(3, 224, 224))), len(x))
    return lambda: engine.forward(x)


def pytorch_model(name: str) -> Any:
    """The same architecture in PyTorch."""
    import types

    sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("unused"))
    import torch
    import torchvision

    torch.set_num_threads(CORES)
    torch.set_grad_enabled(False)
    return getattr(torchvision.models, name)(weights=None).eval()


def pytorch(name: str, x: np.ndarray[Any, Any]) -> Forward:
    """PyTorch eager, N,C,H,W."""
    import torch

    model, given = pytorch_model(name), torch.from_numpy(x)
    return lambda: model(given)


def channels_last(name: str, x: np.ndarray[Any, Any]) -> Forward:
    """PyTorch eager in its own channels-last layout."""
    import torch

    model = pytorch_model(name).to(memory_format=torch.channels_last)
    given = torch.from_numpy(x).contiguous(memory_format=torch.channels_last)
    return lambda: model(given)


def onnxruntime(name: str, x: np.ndarray[Any, Any]) -> Forward:
    """PyTorch's export in onnxruntime."""
    import warnings

    import onnxruntime
    import torch

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(pytorch_model(name), (torch.from_numpy(x),), file, dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: x}
    return lambda: session.run(None, given)


TOOLS = {
    "plan": (plan, ("netcalc",)),
    "PyTorch": (pytorch, ("torch", "torchvision")),
    "channels_last": (channels_last, ("torch", "torchvision")),
    "onnxruntime": (onnxruntime, ("torch", "torchvision", "onnxruntime", "onnx")),
}


def serve(tool: str, name: str, batch: int) -> None:
    """Be one tool: a line with milliseconds for each line that is read; the peak memory in the end."""
    x = np.random.default_rng(0).standard_normal((batch, 3, 224, 224)).astype(np.float32)
    forward = TOOLS[tool][0](name, x)
    print("ready", flush=True)
    for _ in sys.stdin:
        forward()
        start = time.perf_counter()
        forward()
        print((time.perf_counter() - start) * 1000, flush=True)
    print(peak_bytes(), flush=True)


def peak_bytes() -> int:
    """The most memory this process had, with what its workers have beside it."""
    peak = _kilobytes("/proc/self/status", "VmHWM")
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return 1024 * (
        peak + sum(_kilobytes(f"/proc/{child}/smaps_rollup", "Private_Dirty") for child in children)
    )


def _kilobytes(path: str, key: str) -> int:
    lines = Path(path).read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1])


def measure(name: str, batch: int, tools: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Median milliseconds and peak GiB of each tool that starts."""
    running = {}
    for tool in tools:
        command = [sys.executable, __file__, "--serve", tool, name, str(batch)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        if _read(process) == "ready":
            running[tool] = process
        else:
            reason = (process.communicate()[1].strip().splitlines() or ["it ended"])[-1]
            print(f"{tool} is left out for {name} at batch {batch}: {reason}", file=sys.stderr)
    times: dict[str, list[float]] = {tool: [] for tool in running}
    for _ in range(TURNS + 1):
        for tool, process in running.items():
            time.sleep(PAUSE)
            assert process.stdin
            process.stdin.write("run\n")
            process.stdin.flush()
            times[tool].append(float(_read(process)))
    peaks = {tool: float(process.communicate()[0]) / 2**30 for tool, process in running.items()}
    return {tool: statistics.median(listed[1:]) for tool, listed in times.items()}, peaks


def _read(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def product_rate() -> str:
    """What NumPy's matrix products reach on all cores, and whose kernels do it."""
    from threadpoolctl import threadpool_info

    x, y = np.ones((2, 2048, 2048), np.float32)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        np.matmul(x, y)
        seconds.append(time.perf_counter() - start)
    rate = 2 * 2048**3 / statistics.median(seconds) / 1e9
    blas = next(library for library in threadpool_info() if library["user_api"] == "blas")
    return f"{rate:,.0f} GFLOP/s by {blas['internal_api']} {blas['version']} ({blas['architecture']})"


def main(names: list[str]) -> int:
    """Measure all nets and print the table; 1 where a ratio to PyTorch is above its limit."""
    tools = []
    for tool, (_, needed) in TOOLS.items():
        missing = [package for package in needed if find_spec(package) is None]
        if missing:
            print(f"{tool} is left out: {', '.join(missing)} is not installed", file=sys.stderr)
        else:
            tools.append(tool)
    print(f"{CORES} cores, matrix products at {product_rate()}")
    print(f"{'net':14}{'batch':>6}{'plan, ms':>10}" + "".join(f"{'/ ' + tool:>17}" for tool in tools[1:]))
    above = 0
    for name in names or NETS:
        for batch, limit in zip(BATCHES, LIMITS.get(name, (9.0, 9.0)), strict=True):
            times, peaks = measure(name, batch, tools)
            ratios = [
                f"{times['plan'] / times[tool]:17.2f}" if tool in times else " " * 16 + "-"
                for tool in tools[1:]
            ]
            print(f"{name:14}{batch:6}{times['plan']:10.1f}" + "".join(ratios), flush=True)
            above += "PyTorch" in times and times["plan"] / times["PyTorch"] > limit
            if name == "vgg16" and batch == max(BATCHES):
                listed = ", ".join(f"{tool} {peak:.2f} GiB" for tool, peak in peaks.items())
                print(f"    peak memory: {listed}")
    return int(above > 0)


def with_blas_as_it_comes() -> None:
    """Start again where the environment tells OpenBLAS which kernels to take, which halves its rate here."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    if len(environment) < len(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)


if __name__ == "__main__":
    with_blas_as_it_comes()
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        sys.exit(main(sys.argv[1:]))
