"""Record the parameters and multiply-adds of twelve networks that beginners write, as PyTorch counts them.

Each is the PyTorch module of a spec in tests/first_specs. Multiply-adds are half of what
torch.utils.flop_counter counts for one sample: matrix products and convolutions. A run with the same
version writes the same file, first_specs.json beside this script:

    pip install torch==2.13.0
    python tests/golden/make_first_specs.py
"""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


class Residual(nn.Module):
    """The sum of two branches."""

    def __init__(self, main: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Add them."""
        y: Tensor = self.main(x) + self.shortcut(x)
        return y


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """Attend; the weights are not asked for."""
        y: Tensor = self.attention(x, x, x, need_weights=False)[0]
        return y


class Wired(nn.Module):
    """Modules, and a function that says how they are wired."""

    def __init__(self, wiring: Callable[..., object], **modules: nn.Module) -> None:
        super().__init__()
        self.wiring = wiring
        self.parts = nn.ModuleDict(modules)

    def forward(self, *xs: Tensor) -> object:
        """Run the function on the modules and the inputs."""
        return self.wiring(self.parts, *xs)


def mlp() -> nn.Module:
    """Three linear layers."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def lenet() -> nn.Module:
    """LeNet-5 with average pools."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def conv_bn(channels: int, filters: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution without a bias, and a batch norm."""
    conv = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters))


def resnet20() -> nn.Module:
    """Nine residual units for CIFAR, with projections where the size changes."""
    layers: list[nn.Module] = [conv_bn(3, 16), nn.ReLU()]
    channels = 16
    for filters, stride in [(16, 1)] * 3 + [(32, 2)] + [(32, 1)] * 2 + [(64, 2)] + [(64, 1)] * 2:
        main = nn.Sequential(conv_bn(channels, filters, 3, stride), nn.ReLU(), conv_bn(filters, filters))
        shortcut = conv_bn(channels, filters, 1, stride) if stride > 1 else nn.Identity()
        layers += [Residual(main, shortcut), nn.ReLU()]
        channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def double_conv(channels: int, filters: int) -> nn.Sequential:
    """Two convolutions of a U-Net."""
    return nn.Sequential(
        nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(),
        nn.Conv2d(filters, filters, 3, padding=1), nn.ReLU(),
    )  # fmt: skip


def unet() -> nn.Module:
    """Two levels down, two up."""

    def wiring(parts: nn.ModuleDict, x: Tensor) -> Tensor:
        down1 = parts["down1"](x)
        down2 = parts["down2"](parts["pool"](down1))
        up2 = parts["up2"](parts["bottom"](parts["pool"](down2)))
        up1 = parts["up1"](parts["join2"](torch.cat([down2, up2], 1)))
        y: Tensor = parts["head"](parts["join1"](torch.cat([down1, up1], 1)))
        return y

    return Wired(
        wiring, down1=double_conv(3, 64), down2=double_conv(64, 128), bottom=double_conv(128, 256),
        pool=nn.MaxPool2d(2), up2=nn.ConvTranspose2d(256, 128, 2, 2), join2=double_conv(256, 128),
        up1=nn.ConvTranspose2d(128, 64, 2, 2), join1=double_conv(128, 64), head=nn.Conv2d(64, 2, 1),
    )  # fmt: skip


def inception() -> nn.Module:
    """GoogLeNet's first block."""

    def wiring(parts: nn.ModuleDict, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in parts.values()], 1)

    def conv(channels: int, filters: int, kernel: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(channels, filters, kernel, padding=kernel // 2), nn.ReLU())

    return Wired(
        wiring, one=conv(192, 64, 1), three=nn.Sequential(conv(192, 96, 1), conv(96, 128, 3)),
        five=nn.Sequential(conv(192, 16, 1), conv(16, 32, 5)),
        pool=nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(192, 32, 1)),
    )  # fmt: skip


def transformer() -> nn.Module:
    """Six pre-norm encoder layers on learned positions."""

    def wiring(parts: nn.ModuleDict, x: Tensor) -> Tensor:
        y: Tensor = parts["encoder"](parts["words"](x) + parts["positions"](torch.arange(x.shape[1])))
        return y

    layers = []
    for _ in range(6):
        attention = nn.Sequential(nn.LayerNorm(512), SelfAttention(512, 8))
        hidden = nn.Sequential(
            nn.LayerNorm(512), nn.Linear(512, 2048), nn.GELU(), nn.Linear(2048, 512), nn.Dropout(0.1)
        )
        layers += [Residual(attention, nn.Identity()), Residual(hidden, nn.Identity())]
    encoder = nn.Sequential(*layers, nn.LayerNorm(512))
    return Wired(wiring, words=nn.Embedding(30000, 512), positions=nn.Embedding(128, 512), encoder=encoder)


def lstm() -> nn.Module:
    """A language model of two LSTM layers."""

    def wiring(parts: nn.ModuleDict, x: Tensor) -> Tensor:
        y: Tensor = parts["head"](parts["lstm"](parts["words"](x))[0])
        return y

    recurrent = nn.LSTM(200, 200, 2, batch_first=True)
    return Wired(wiring, words=nn.Embedding(10000, 200), lstm=recurrent, head=nn.Linear(200, 10000))


def generator() -> nn.Module:
    """DCGAN's, which begins with a linear layer."""

    def up(channels: int, filters: int) -> nn.Sequential:
        conv = nn.ConvTranspose2d(channels, filters, 4, 2, 1, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(filters), nn.ReLU())

    return nn.Sequential(
        nn.Linear(100, 8192), nn.Unflatten(1, (512, 4, 4)), nn.BatchNorm2d(512), nn.ReLU(),
        up(512, 256), up(256, 128), up(128, 64), nn.ConvTranspose2d(64, 3, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip


def siamese() -> nn.Module:
    """One tower on two pictures, and a linear layer on the distance of their features."""

    def wiring(parts: nn.ModuleDict, left: Tensor, right: Tensor) -> Tensor:
        y: Tensor = parts["head"]((parts["tower"](left) - parts["tower"](right)).abs())
        return y

    tower = nn.Sequential(
        nn.Conv2d(1, 64, 10), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(64, 128, 7), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(128, 128, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(128, 256, 4), nn.ReLU(),
        nn.Flatten(), nn.Linear(9216, 4096), nn.Sigmoid(),
    )  # fmt: skip
    return Wired(wiring, tower=tower, head=nn.Linear(4096, 1))


def two_inputs() -> nn.Module:
    """A picture and ten numbers."""

    def wiring(parts: nn.ModuleDict, image: Tensor, meta: Tensor) -> Tensor:
        y: Tensor = parts["head"](torch.cat([parts["seen"](image), parts["known"](meta)], 1))
        return y

    seen = nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    known = nn.Sequential(nn.Linear(10, 32), nn.ReLU())
    return Wired(wiring, seen=seen, known=known, head=nn.Linear(64, 1))


def mobilenet() -> nn.Module:
    """MobileNet of width 1."""
    layers: list[nn.Module] = [conv_bn(3, 32, 3, 2), nn.ReLU6()]
    channels = 32
    widths = [64, 128, 128, 256, 256, *[512] * 6, 1024, 1024]
    for filters, stride in zip(widths, [1, 2, 1, 2, 1, 2, *[1] * 5, 2, 1], strict=True):
        layers += [conv_bn(channels, channels, 3, stride, channels), nn.ReLU6()]
        layers += [conv_bn(channels, filters, 1), nn.ReLU6()]
        channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))


def fpn() -> nn.Module:
    """Three levels from top to bottom, an output at each."""

    def wiring(parts: nn.ModuleDict, x: Tensor) -> tuple[Tensor, ...]:
        c3 = parts["c3"](parts["stem"](x))
        c4 = parts["c4"](c3)
        p5 = parts["p5"](parts["c5"](c4))
        p4 = parts["l4"](c4) + parts["up"](p5)
        p3 = parts["l3"](c3) + parts["up"](p4)
        return parts["out3"](p3), parts["out4"](p4), parts["out5"](p5)

    def stage(channels: int, filters: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(channels, filters, 3, 2, 1), nn.ReLU())

    outs = {f"out{level}": nn.Conv2d(256, 256, 3, padding=1) for level in (3, 4, 5)}
    return Wired(
        wiring, stem=nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        c3=stage(64, 256), c4=stage(256, 512), c5=stage(512, 1024), up=nn.Upsample(scale_factor=2),
        p5=nn.Conv2d(1024, 256, 1), l4=nn.Conv2d(512, 256, 1), l3=nn.Conv2d(256, 256, 1), **outs,
    )  # fmt: skip


CASES: dict[str, tuple[Callable[[], nn.Module], tuple[Tensor, ...]]] = {
    "mlp": (mlp, (torch.zeros(1, 1, 28, 28),)),
    "lenet": (lenet, (torch.zeros(1, 1, 32, 32),)),
    "resnet20": (resnet20, (torch.zeros(1, 3, 32, 32),)),
    "unet": (unet, (torch.zeros(1, 3, 128, 128),)),
    "inception": (inception, (torch.zeros(1, 192, 28, 28),)),
    "transformer": (transformer, (torch.zeros(1, 128, dtype=torch.long),)),
    "lstm": (lstm, (torch.zeros(1, 35, dtype=torch.long),)),
    "generator": (generator, (torch.zeros(1, 100),)),
    "siamese": (siamese, (torch.zeros(1, 1, 105, 105), torch.zeros(1, 1, 105, 105))),
    "two-inputs": (two_inputs, (torch.zeros(1, 3, 64, 64), torch.zeros(1, 10))),
    "mobilenet": (mobilenet, (torch.zeros(1, 3, 224, 224),)),
    "fpn": (fpn, (torch.zeros(1, 3, 224, 224),)),
}


def main() -> None:
    """Count every network and write the figures."""
    torch.manual_seed(0)
    torch.backends.mkldnn.enabled = False  # its LSTM is one operator, which the counter does not know
    figures = {}
    for name, (make, inputs) in CASES.items():
        module = make().eval()
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
            module(*inputs)
        params = sum(parameter.numel() for parameter in module.parameters())
        figures[name] = {"params": params, "macs": counter.get_total_flops() // 2}
    text = json.dumps(figures, indent=2) + "\n"
    Path(__file__).with_name("first_specs.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
