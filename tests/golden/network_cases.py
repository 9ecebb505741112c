"""The whole networks that PyTorch's results are recorded of, and the numbers that both sides give them.

Sizes are a net's own where its layers fix them, otherwise small, and not square where torchvision allows
it, so that height and width cannot be taken for each other.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

import netcalc
from netcalc.graph import Graph

from seeded import Array, Shape, drawn, drawn_whole, parameter

LSTM, LLAMA, WAVENET, UNSHUFFLED = (
    str(Path(__file__).with_name(f"{name}.yaml")) for name in ("lstm", "llama", "wavenet", "unshuffled")
)
MOST_LOGITS = 4000  # written down as they are; of more, every so many-th


class NetworkCase(NamedTuple):
    """A bundled network or a file, the sizes it is run at, and how."""

    spec: str
    input: Shape | None = None
    args: tuple[tuple[str, int], ...] = ()
    batch: int = 2
    gradients: bool = False
    training: bool = False
    tokens: int = 0  # different ones, where it reads them

    @property
    def name(self) -> str:
        name = Path(self.spec).stem
        return f"{name} in training" if self.training else name

    @property
    def graph(self) -> Graph:
        return netcalc.load(self.spec, input=self.input, args=dict(self.args))

    def given(self, name: str, shape: Shape) -> Array:
        """What one input is given, the batch in front."""
        if name == "positions":
            return np.tile(np.arange(shape[0]), (self.batch, 1))
        text, shape = f"{self.name} {name}", (self.batch, *shape)
        if self.tokens:
            return drawn_whole(text, shape, 0, self.tokens - 1)
        return picture(text, shape) if len(shape) == 4 else drawn(text, shape)

    def parameter(self, number: int, name: str, shape: Shape) -> Array:
        """The parameter of that place in netcalc's order, of a name that says its role."""
        return parameter(f"{self.name} {number}", name, shape)


IMAGE = (3, 96, 64)
NETWORKS = (
    NetworkCase("lenet5", gradients=True),
    NetworkCase("alexnet"),
    NetworkCase("vgg11"),
    NetworkCase("resnet18", IMAGE, gradients=True),
    NetworkCase("resnet18", IMAGE, gradients=True, training=True, batch=3),
    NetworkCase("resnet50", IMAGE),
    NetworkCase("googlenet", IMAGE, gradients=True),
    NetworkCase("inception_v3", (3, 139, 107)),
    NetworkCase("densenet121", IMAGE, gradients=True),
    NetworkCase("mobilenet_v2", IMAGE, gradients=True),
    NetworkCase("mobilenet_v3_large", IMAGE),
    NetworkCase("mobilenet_v3_small", IMAGE),
    NetworkCase("shufflenet_v2_x1_0", IMAGE),
    NetworkCase("squeezenet1_0", IMAGE),
    NetworkCase("squeezenet1_1", IMAGE),
    NetworkCase("efficientnet_b0", IMAGE),
    NetworkCase("regnet_y_400mf", IMAGE),
    NetworkCase("convnext_tiny", IMAGE, gradients=True),
    NetworkCase("vit_b_16", (3, 96, 96)),
    NetworkCase("swin_t", (3, 96, 80), gradients=True),
    NetworkCase("unet", (1, 204, 188)),
    NetworkCase("gpt2_small", args=(("length", 16),), tokens=50257),
    NetworkCase(LSTM, gradients=True, tokens=500),
    NetworkCase(LLAMA, gradients=True, tokens=500),
    NetworkCase(WAVENET, gradients=True),
    NetworkCase(UNSHUFFLED, gradients=True),
)


def picture(text: str, shape: Shape) -> Array:
    """N,C,H,W: noise on 4x4 patches of colour, by which samples and places differ for a deep network too."""
    height, width = (-(-size // 4) for size in shape[2:])
    patches = drawn(f"{text} patches", (*shape[:2], 4, 4), std=1.5)
    patches = patches.repeat(height, 2).repeat(width, 3)[:, :, : shape[2], : shape[3]]
    return patches + drawn(text, shape)


def thinned(y: Array) -> Array:
    """Some of an output's numbers, all where they are not many."""
    return y.reshape(-1)[:: -(-y.size // MOST_LOGITS)]
