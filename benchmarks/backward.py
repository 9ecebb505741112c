"""Training steps against PyTorch eager: forward, softmax cross-entropy, backward, momentum.

Each round runs every net in a fresh process of each side, in turn; a process takes the median of its
steps, the table the median of the rounds. Run it with a Python that has netcalc and, for the ratios,
PyTorch; without PyTorch it says so and shows netcalc's times alone:

    python benchmarks/backward.py [--rounds 7] [NET ...]

Prints the ratio of netcalc's time to PyTorch's, and the rate of a large matrix product in NumPy beside
it. OPENBLAS_... is taken out of the environment, so that OpenBLAS chooses its kernels itself.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

RATE, MOMENTUM = 0.01, 0.9
WARM_UP, STEPS = 4, 15


class Net(NamedTuple):
    """What is trained, and what the ratio must not exceed."""

    spec: str
    batch: int
    input: tuple[int, int, int]
    target: float | None = None


NETS = {
    "lenet5": Net("lenet5", 64, (1, 28, 28), 1.2),
    "resnet20": Net("resnet20-cifar", 32, (3, 32, 32), 1.0),
    "resnet18": Net("resnet18-32", 32, (3, 32, 32)),
}

RESNET18_32 = """
name: ResNet-18 for 32x32
input: [3, 32, 32]
blocks:
  basic(filters, stride=1):
    - residual:
        main:
          - conv: {filters: $filters, kernel: 3, stride: $stride, pad: 1, bias: false}
          - batchnorm
          - relu
          - conv: {filters: $filters, kernel: 3, pad: 1, bias: false}
          - batchnorm
        shortcut:
          - conv: {filters: $filters, kernel: 1, stride: $stride, bias: false, when: $(stride > 1)}
          - batchnorm: {when: $(stride > 1)}
    - relu
layers:
  - conv: {filters: 64, kernel: 3, pad: 1, bias: false}
  - batchnorm
  - relu
  - basic: {filters: 64, repeat: 2}
  - basic: {filters: 128, stride: 2}
  - basic: {filters: 128}
  - basic: {filters: 256, stride: 2}
  - basic: {filters: 256}
  - basic: {filters: 512, stride: 2}
  - basic: {filters: 512}
  - global_avgpool
  - linear: {units: 10}
"""


def netcalc_step(net: Net) -> tuple[Callable[[], None], int]:
    """One training step of netcalc's, and how many parameters it learns."""
    import numpy as np

    import netcalc
    from netcalc.backend import TrainingStep
    from netcalc.train.losses import CrossEntropy
    from netcalc.train.optimisers import Momentum

    network = netcalc.Network(graph_of(net.spec), seed=0)
    step = TrainingStep(network, net.batch)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((net.batch, *net.input)).astype(np.float32)
    labels = rng.integers(0, 10, net.batch)
    loss, optimiser = CrossEntropy(), Momentum(network, lr=RATE, momentum=MOMENTUM)

    def run() -> None:
        _, dy = loss(step.forward(x), labels)
        optimiser.step(step.backward(dy).params)

    return run, sum(parameter.array.size for parameter in optimiser.parameters)


def graph_of(spec: str) -> Any:
    """The graph of a bundled net, or of the one above."""
    import tempfile
    from pathlib import Path

    import netcalc

    if spec != "resnet18-32":
        return netcalc.load(spec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "resnet18.yaml")
        path.write_text(RESNET18_32)
        return netcalc.load(path)


def torch_step(net: Net) -> tuple[Callable[[], None], int]:
    """One training step of PyTorch's, and how many parameters it learns."""
    import torch

    model = torch_model(net.spec)
    optimiser = torch.optim.SGD(model.parameters(), RATE, momentum=MOMENTUM)
    x, labels = torch.randn(net.batch, *net.input), torch.randint(0, 10, (net.batch,))

    def run() -> None:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        optimiser.step()

    return run, sum(parameter.numel() for parameter in model.parameters())


def torch_model(spec: str) -> Any:
    """The same architecture as a PyTorch module."""
    from torch import nn
    from torch.nn import functional

    class Unit(nn.Module):
        """A residual unit of two convolutions; the shortcut is projected, or padded with zeros."""

        def __init__(self, channels: int, filters: int, stride: int, projected: bool) -> None:
            super().__init__()
            self.main = nn.Sequential(
                nn.Conv2d(channels, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters), nn.ReLU(),
                nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters),
            )  # fmt: skip
            self.stride, self.added = stride, filters - channels
            self.projection = None
            if projected and stride > 1:
                self.projection = nn.Sequential(
                    nn.Conv2d(channels, filters, 1, stride, bias=False), nn.BatchNorm2d(filters)
                )

        def forward(self, x: Any) -> Any:
            y = self.main(x)
            if self.projection is not None:
                x = self.projection(x)
            elif self.stride > 1:
                ends = self.added // 2, self.added - self.added // 2
                x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *ends))
            return functional.relu(y + x)

    if spec == "lenet5":
        return nn.Sequential(
            nn.Conv2d(1, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(20, 50, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(2450, 500), nn.ReLU(), nn.Linear(500, 10),
        )  # fmt: skip
    projected = spec == "resnet18-32"
    widths, depth = ([64, 128, 256, 512], 2) if projected else ([16, 32, 64], 3)
    layers = [nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    for channels, filters in zip([widths[0], *widths], widths, strict=False):
        stride = 1 if channels == filters else 2
        layers += [Unit(channels, filters, stride, projected)]
        layers += [Unit(filters, filters, 1, projected) for _ in range(depth - 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 10))


SIDES = {"netcalc": netcalc_step, "torch": torch_step}


def measure(side: str, net: Net) -> tuple[float, int]:
    """The median of some steps in milliseconds, and how many parameters are learned, in this process."""
    run, parameters = SIDES[side](net)
    times = []
    for _ in range(WARM_UP + STEPS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times[WARM_UP:]) * 1000, parameters


def peak() -> float:
    """Billions of operations a second in a float32 product of 1024 x 1024 matrices, in this process."""
    import numpy as np

    a, b, c = np.random.default_rng(0).standard_normal((3, 1024, 1024), np.float32)
    times = []
    for _ in range(30):
        start = time.perf_counter()
        np.matmul(a, b, out=c)
        times.append(time.perf_counter() - start)
    return 2 * 1024**3 / min(times) / 1e9


def apart(*arguments: str) -> list[str]:
    """What this script prints in a fresh process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    command = [sys.executable, __file__, "--apart", *arguments]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return run.stdout.split()


def compare(name: str, sides: list[str], rounds: int) -> dict[str, float]:
    """The median milliseconds of each side, in turn."""
    times: dict[str, list[float]] = {side: [] for side in sides}
    parameters = set()
    for _ in range(rounds):
        for side in sides:
            milliseconds, learned = apart(side, name)
            times[side].append(float(milliseconds))
            parameters.add(learned)
    if len(parameters) > 1:
        raise ValueError(f"the two sides of {name} learn different numbers of parameters: {parameters}")
    return {side: statistics.median(own) for side, own in times.items()}


def main() -> int:
    """Compare every net and print the ratios; 1 where one is above its target."""
    parser = argparse.ArgumentParser(description="Training steps against PyTorch eager.")
    parser.add_argument(
        "nets", nargs="*", metavar="NET", help=f"of {', '.join(NETS)}; the first two unless given"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--apart", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.apart == ["peak"]:
        print(peak())
        return 0
    if options.apart:
        side, name = options.apart
        print(*measure(side, NETS[name]))
        return 0
    sides = [side for side in SIDES if side == "netcalc" or importlib.util.find_spec(side)]
    if "torch" not in sides:
        print("PyTorch is not installed here: netcalc's times alone")
    print(
        f"{'training step':<16}{'batch':>6}"
        + "".join(f"{side + ' ms':>12}" for side in sides)
        + f"{'ratio':>8}"
    )
    missed = 0
    for name in options.nets or list(NETS)[:2]:
        net = NETS[name]
        medians = compare(name, sides, options.rounds)
        row = f"{name:<16}{net.batch:>6}" + "".join(f"{medians[side]:>12.1f}" for side in sides)
        if "torch" in sides:
            ratio = medians["netcalc"] / medians["torch"]
            row += f"{ratio:>8.2f}"
            missed += net.target is not None and ratio > net.target
        print(row)
    (rate,) = apart("peak")
    print(f"matrix product of NumPy's on this machine: {float(rate):.0f} GFLOP/s in float32")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
