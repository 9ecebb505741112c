"""Record what torch.nn.init draws: gains, standard deviations and bounds, and orthogonal matrices.

The deviation of a normal scheme and the bound of a uniform one are what PyTorch hands to its generator, so that
nothing random is recorded; an orthogonal matrix is that of recorded numbers. A run with the same PyTorch writes
the same file, initialisers.json beside this script:

    pip install torch==2.13.0
    python tests/golden/make_initialisers.py
"""

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch.nn import init

SHAPES = [(5, 3), (3, 5), (500, 784), (8, 3, 5), (20, 1, 5, 5), (64, 3, 11, 11), (4, 6, 1, 2, 3)]
"""Weights of linear layers and of convolutions with one group."""

GAINS = [
    ("relu", None), ("leaky_relu", 0.01), ("leaky_relu", 0.2), ("tanh", None), ("sigmoid", None), ("selu", None),
]  # fmt: skip
ORTHOGONAL = [(3, 5), (5, 3), (4, 2, 3), (2, 3, 1, 2)]


def handed_over(scheme: str, shape: tuple[int, ...], **options: Any) -> float:
    """The deviation or the bound that a scheme hands to the generator."""
    given: list[float] = []

    def draw(tensor: torch.Tensor, *numbers: float, **_: Any) -> torch.Tensor:
        given.append(numbers[1])
        return tensor

    with patch.object(torch.Tensor, "normal_", draw), patch.object(torch.Tensor, "uniform_", draw):
        getattr(init, scheme)(torch.empty(shape, dtype=torch.float64), **options)
    return given[0]


def orthogonal(shape: tuple[int, ...], seed: int) -> dict[str, Any]:
    """An orthogonal matrix and the numbers that it is made of, which have the shape of the rows and the rest."""
    rows = shape[0]
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn((rows, torch.Size(shape).numel() // rows), generator=generator, dtype=torch.float64)
    with patch.object(torch.Tensor, "normal_", lambda tensor, *_, **__: tensor.copy_(drawn)):
        made = init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain=1.5)
    return {"shape": shape, "drawn": drawn.tolist(), "made": made.tolist()}


def deviations(shape: tuple[int, ...]) -> dict[str, Any]:
    """What each scheme hands over for a shape, without a gain and with that of ReLU."""
    return {
        "shape": shape,
        "xavier": handed_over("xavier_uniform_", shape),
        "xavier_normal": handed_over("xavier_normal_", shape),
        "he": {
            name: handed_over("kaiming_normal_", shape, nonlinearity=name)
            for name in ("linear", "relu", "tanh")
        },
        "he_uniform": {
            name: handed_over("kaiming_uniform_", shape, nonlinearity=name)
            for name in ("linear", "relu", "tanh")
        },
    }


if __name__ == "__main__":
    found = {
        "torch": torch.__version__.partition("+")[0],
        "gains": [[name, slope, init.calculate_gain(name, slope)] for name, slope in GAINS],
        "deviations": list(map(deviations, SHAPES)),
        "orthogonal": [orthogonal(shape, seed) for seed, shape in enumerate(ORTHOGONAL)],
    }
    path = Path(__file__).with_suffix("").with_name("initialisers.json")
    path.write_text(json.dumps(found, indent=1) + "\n")
