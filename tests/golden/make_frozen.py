"""Record what PyTorch keeps for backward where a part of a network is frozen.

Every case is [name, input shape, batch, frozen, bytes kept]: `frozen` are patterns of layers and blocks in
netcalc's names, and the bytes are counted as those of saved.json. Frozen parameters have requires_grad=False, and
the modules that they are in are in `.eval()`, so that norms keep their statistics; dropout is none of them.
A run with the same versions writes the same file, frozen.json beside this script:

    pip install torch==2.13.0 torchvision==0.28.0
    python tests/golden/make_frozen.py
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from make_saved import Saved, network, torchvision
from torch import nn


class Case(NamedTuple):
    """A network, and its frozen part in netcalc's names and in torchvision's."""

    name: str
    shape: tuple[int, ...]
    batch: int
    frozen: tuple[str, ...]
    modules: tuple[str, ...]


CASES = (
    Case("alexnet", (3, 227, 227), 2, ("conv*",), ("features",)),
    Case("alexnet", (3, 227, 227), 2, ("conv3", "fc7"), ("features.6", "classifier.4")),
    Case("resnet18", (3, 112, 112), 2, ("stem", "stage*"), ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")),
    Case("resnet18", (3, 112, 112), 2, ("stem", "stage[123]"), ("conv1", "bn1", "layer1", "layer2", "layer3")),
    Case("resnet18", (3, 112, 112), 2, ("stage2",), ("layer2",)),
    Case("mobilenet_v2", (3, 96, 96), 4, ("stem", "stage[1-5]"), ("features.0", *(f"features.{n}" for n in range(1, 14)))),
    Case("vit_b_16", (3, 224, 224), 2, ("encoder1", "encoder4"), ("encoder.layers.encoder_layer_0", "encoder.layers.encoder_layer_3")),
)  # fmt: skip


def frozen_network(case: Case) -> nn.Module:
    """A network in training whose frozen part is in inference."""
    module = network(case.name).train()
    for name in case.modules:
        part = module.get_submodule(name).eval()
        for parameter in part.parameters():
            parameter.requires_grad_(False)
    return module


def record(case: Case) -> list[Any]:
    """A case, as the file has it."""
    module = frozen_network(case)
    with Saved() as saved:
        module(torch.rand(case.batch, *case.shape))
    return [case.name, case.shape, case.batch, case.frozen, sum(saved.without(module).values())]


def main() -> None:
    """Record every case and write the file."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    lines = [json.dumps(record(case), separators=(",", ":")) for case in CASES]
    versions = [module.__version__.split("+")[0] for module in (torch, torchvision)]
    source = "PyTorch {}, torchvision {}, recorded by make_frozen.py".format(*versions)
    text = f'{{"source":{json.dumps(source)},"networks":[\n' + ",\n".join(lines) + "\n]}\n"
    Path(__file__).with_name("frozen.json").write_text(text, encoding="utf-8")
    print(f"{len(lines)} networks")


if __name__ == "__main__":
    main()
