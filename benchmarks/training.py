"""Training steps against PyTorch eager: forward, softmax cross-entropy, backward, Adam, in float32.

Each side is a process of its own that stays, on the same cores. They take turns: one takes a few steps
untimed, then some that are timed, of which the median counts; the ratio is the median over all turns of
netcalc's time to PyTorch's in the same turn. Run it with a Python that has netcalc and, for the ratios,
PyTorch; without PyTorch it says so and shows netcalc's times alone:

    python benchmarks/training.py [--turns 15] [NET ...]

Exits 1 where a ratio is above its limit. OPENBLAS_... is taken out of the environment, so that OpenBLAS
chooses its kernels itself.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

RATE = 1e-3
TURN_SECONDS, LEAST_STEPS, WARM_UP = 0.25, 3, 2
PAUSE = 0.05
"""Seconds after which the other side's threads have gone to sleep."""
CORES = len(os.sched_getaffinity(0))
Array = np.ndarray[Any, Any]
Step = Callable[[], object]


class Net(NamedTuple):
    """What is trained, and what the ratio must not exceed."""

    spec: str
    batch: int
    input: Mapping[str, tuple[int, ...]]
    classes: int
    limit: float
    args: Mapping[str, Any] = {}


CONTEXT, VOCABULARY, WIDTH, HEADS, DEPTH = 64, 1000, 128, 4, 2
GPT = {
    "width": WIDTH, "depth": DEPTH, "heads": HEADS, "vocabulary": VOCABULARY, "context": CONTEXT,
    "length": CONTEXT, "dropout": 0.0,
}  # fmt: skip
NETS = {
    "lenet5": Net("lenet5", 64, {"input": (1, 28, 28)}, 10, 0.8),
    "resnet20": Net("resnet20-cifar", 32, {"input": (3, 32, 32)}, 10, 0.85),
    "mobilenet_v2": Net("mobilenet_v2", 32, {"input": (3, 32, 32)}, 1000, 1.2),
    "gpt": Net("gpt2_small", 16, {"tokens": (CONTEXT,), "positions": (CONTEXT,)}, VOCABULARY, 1.2, GPT),
}


def samples(net: Net) -> tuple[dict[str, Array], Array]:
    """A batch: pictures or tokens by the input's name, and labels."""
    rng = np.random.default_rng(0)
    given: dict[str, Array] = {
        name: rng.standard_normal((net.batch, *shape), np.float32) for name, shape in net.input.items()
    }
    if "tokens" not in net.input:
        return given, rng.integers(0, net.classes, net.batch)
    tokens = rng.integers(0, net.classes, (2, net.batch, CONTEXT))
    positions = np.tile(np.arange(CONTEXT), (net.batch, 1))
    return {"tokens": tokens[0], "positions": positions}, tokens[1]


def netcalc_step(net: Net) -> tuple[Step, int]:
    """One training step of netcalc's, and how many parameters it learns."""
    import netcalc
    from netcalc.backend import TrainingStep
    from netcalc.train.losses import CrossEntropy
    from netcalc.train.optimisers import Adam

    network = netcalc.Network(netcalc.load(net.spec, input=net.input, args=net.args), seed=0)
    step, loss, optimiser = TrainingStep(network, net.batch), CrossEntropy(), Adam(network, lr=RATE)
    given, labels = samples(net)

    def run() -> None:
        _, dy = loss(step.forward(given), labels)
        optimiser.step(step.backward(dy).params)

    return run, sum(parameter.array.size for parameter in optimiser.parameters)


def torch_step(net: Net) -> tuple[Step, int]:
    """One training step of PyTorch's, and how many parameters it learns."""
    import torch

    torch.set_num_threads(CORES)
    model = gpt() if net.args else convolutional(net.spec)
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    given, labels = samples(net)
    inputs, targets = [torch.from_numpy(array) for array in given.values()], torch.from_numpy(labels)

    def run() -> None:
        optimiser.zero_grad()
        scores = model(*inputs).reshape(-1, net.classes)
        torch.nn.functional.cross_entropy(scores, targets.reshape(-1)).backward()
        optimiser.step()

    return run, sum(parameter.numel() for parameter in model.parameters())


def convolutional(spec: str) -> Any:
    """A convolutional net as a PyTorch module."""
    from torch import nn

    if spec != "lenet5":
        return resnet20() if spec == "resnet20-cifar" else mobilenet_v2()
    return nn.Sequential(
        nn.Conv2d(1, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(2450, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip


def resnet20() -> Any:
    """ResNet-20 for CIFAR, whose shortcuts are padded with zeros."""
    from torch import nn
    from torch.nn import functional

    class Unit(nn.Module):
        def __init__(self, channels: int, filters: int) -> None:
            super().__init__()
            self.stride, self.added = filters // channels, filters - channels
            self.main = nn.Sequential(
                nn.Conv2d(channels, filters, 3, self.stride, 1, bias=False), nn.BatchNorm2d(filters),
                nn.ReLU(),
                nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters),
            )  # fmt: skip

        def forward(self, x: Any) -> Any:
            y = self.main(x)
            if self.stride > 1:
                ends = self.added // 2, self.added - self.added // 2
                x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *ends))
            return functional.relu(y + x)

    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    for channels, filters in ((16, 16), (16, 32), (32, 64)):
        layers += [Unit(channels, filters), Unit(filters, filters), Unit(filters, filters)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def mobilenet_v2() -> Any:
    """MobileNet v2 as torchvision lays it out."""
    from torch import nn

    def normed(channels: int, filters: int, kernel: int, stride: int, groups: int, relu: bool) -> list[Any]:
        conv = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(filters), *([nn.ReLU6(inplace=True)] if relu else [])]

    class Unit(nn.Module):
        def __init__(self, channels: int, filters: int, stride: int, expansion: int) -> None:
            super().__init__()
            wide = channels * expansion
            self.main = nn.Sequential(
                *(normed(channels, wide, 1, 1, 1, relu=True) if expansion > 1 else []),
                *normed(wide, wide, 3, stride, wide, relu=True),
                *normed(wide, filters, 1, 1, 1, relu=False),
            )
            self.is_residual = stride == 1 and channels == filters

        def forward(self, x: Any) -> Any:
            return x + self.main(x) if self.is_residual else self.main(x)

    layers, channels = normed(3, 32, 3, 2, 1, relu=True), 32
    for expansion, filters, depth, stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):  # fmt: skip
        for number in range(depth):
            layers.append(Unit(channels, filters, 1 if number else stride, expansion))
            channels = filters
    layers += [*normed(320, 1280, 1, 1, 1, relu=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Dropout(0.2), nn.Linear(1280, 1000))


def gpt() -> Any:
    """A small GPT-2 without dropout, whose head has the weights of the token embedding."""
    from torch import nn
    from torch.nn import functional

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norms = nn.ModuleList([nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)])
            self.queries_keys_values, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.feed_forward = nn.Sequential(
                nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(approximate="tanh"), nn.Linear(4 * WIDTH, WIDTH)
            )

        def forward(self, x: Any) -> Any:
            samples, positions, _ = x.shape
            joint = self.queries_keys_values(self.norms[0](x)).view(samples, positions, 3, HEADS, -1)
            q, k, v = joint.permute(2, 0, 3, 1, 4)
            attended = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(attended.transpose(1, 2).reshape(samples, positions, WIDTH))
            return x + self.feed_forward(self.norms[1](x))

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
            self.decoders = nn.Sequential(*(Decoder() for _ in range(DEPTH)), nn.LayerNorm(WIDTH))
            self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)
            self.head.weight = self.tokens.weight

        def forward(self, tokens: Any, positions: Any) -> Any:
            return self.head(self.decoders(self.tokens(tokens) + self.positions(positions)))

    return Model()


SIDES = {"netcalc": netcalc_step, "torch": torch_step}


def serve(side: str, net: Net) -> None:
    """Be one side: say how many parameters are learned, then a step's milliseconds for each line read."""
    run, parameters = SIDES[side](net)
    print(parameters, flush=True)
    for _ in sys.stdin:
        for _ in range(WARM_UP):
            run()
        times: list[float] = []
        while len(times) < LEAST_STEPS or sum(times) < TURN_SECONDS:
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        print(statistics.median(times) * 1000, flush=True)


def measure(name: str, sides: list[str], turns: int) -> dict[str, list[float]]:
    """The milliseconds of each side in each turn."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    running = {
        side: subprocess.Popen(
            [sys.executable, __file__, "--serve", side, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )
        for side in sides
    }  # fmt: skip
    parameters = {side: _answer(process) for side, process in running.items()}
    if len(set(parameters.values())) > 1:
        raise ValueError(f"the two sides of {name} learn different numbers of parameters: {parameters}")
    times: dict[str, list[float]] = {side: [] for side in running}
    for _ in range(turns + 1):
        for side, process in running.items():
            time.sleep(PAUSE)
            assert process.stdin
            process.stdin.write("step\n")
            process.stdin.flush()
            times[side].append(_answer(process))
    for process in running.values():
        process.communicate()
    return {side: listed[1:] for side, listed in times.items()}  # the first turn warms up


def _answer(process: subprocess.Popen[str]) -> float:
    assert process.stdout
    return float(process.stdout.readline())


def main() -> int:
    """Compare every net and print the ratios; 1 where one is above its limit."""
    parser = argparse.ArgumentParser(description="Training steps against PyTorch eager.")
    parser.add_argument("nets", nargs="*", metavar="NET", help=f"of {', '.join(NETS)}; all unless given")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        side, name = options.serve
        serve(side, NETS[name])
        return 0
    sides = [side for side in SIDES if side == "netcalc" or find_spec(side)]
    if "torch" not in sides:
        print("PyTorch is not installed here: netcalc's times alone")
    print(f"{'training step, ms':<18}{'batch':>6}{'':4}{'      '.join(sides)}{'ratio':>8}{'limit':>8}")
    missed = 0
    for name in options.nets or NETS:
        net, times = NETS[name], measure(name, sides, options.turns)
        row = f"{name:<16}{net.batch:>6}" + "".join(
            f"{statistics.median(times[side]):11.2f}" for side in sides
        )
        if "torch" in sides:
            pairs = zip(times["netcalc"], times["torch"], strict=True)
            ratio = statistics.median(own / other for own, other in pairs)
            row += f"{ratio:8.2f}{net.limit:8.2f}"
            missed += ratio > net.limit
        print(row, flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
