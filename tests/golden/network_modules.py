"""The networks as PyTorch modules: torchvision's, and those written out here that it does not have."""

from itertools import pairwise

import torch
from kernel_functions import attention, rotary
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models


class LeNet5(nn.Sequential):
    """As the lecture draws it."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(20, 50, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(2450, 500), nn.ReLU(), nn.Linear(500, 10),
        )  # fmt: skip


class UNet(nn.Module):
    """Ronneberger, Fischer, Brox 2015, Fig. 1: unpadded convolutions, skips cropped around their centre."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 64, 128, 256, 512, 1024)
        self.contract = nn.ModuleList([self.convs(*pair) for pair in pairwise(widths)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(2 * w, w, 2, 2) for w in (512, 256, 128, 64)])
        self.expand = nn.ModuleList([self.convs(2 * w, w) for w in (512, 256, 128, 64)])
        self.classify = nn.Conv2d(64, 2, 1)

    @staticmethod
    def convs(channels: int, width: int) -> nn.Module:
        """Two unpadded convolutions."""
        return nn.Sequential(nn.Conv2d(channels, width, 3), nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """N,1,H,W to a map of two classes."""
        skips = []
        for number, convs in enumerate(self.contract):
            x = convs(functional.max_pool2d(x, 2) if number else x)
            skips.append(x)
        for up, convs, skip in zip(self.up, self.expand, skips[-2::-1], strict=True):
            x = up(x)
            top, left = ((own - cut) // 2 for own, cut in zip(skip.shape[2:], x.shape[2:], strict=True))
            x = convs(torch.cat([skip[:, :, top : top + x.shape[2], left : left + x.shape[3]], x], 1))
        y: Tensor = self.classify(x)
        return y


class Decoder(nn.Module):
    """A block of GPT-2: both branches normalised first."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Attend to the positions up to one's own, then act on each."""
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        z = self.norm1(x)
        x = x + self.attention(z, z, z, attn_mask=mask, need_weights=False)[0]
        y: Tensor = x + self.mlp(self.norm2(x))
        return y


class GPT2(nn.Module):
    """Radford et al. 2019, small; the head reads the token embedding's table."""

    def __init__(self, width: int = 768, heads: int = 12) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50257, width), nn.Embedding(1024, width)
        self.decoders = nn.Sequential(*(Decoder(width, heads) for _ in range(12)))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Token numbers and their positions to the scores of each next token."""
        y = self.norm(self.decoders(self.tokens(tokens) + self.positions(positions)))
        return functional.linear(y, self.tokens.weight)


class SentenceClassifier(nn.Module):
    """lstm.yaml."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(500, 48)
        self.lstm = nn.LSTM(48, 64, 2, bidirectional=True, batch_first=True)
        self.head = nn.Sequential(nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, tokens: Tensor) -> Tensor:
        """Token numbers to the scores of classes."""
        _, (hidden, _) = self.lstm(self.embedding(tokens))
        y: Tensor = self.head(torch.cat([hidden[-2], hidden[-1]], 1))
        return y


class LlamaAttention(nn.Module):
    """Keys and values with fewer heads, queries and keys turned by where they stand."""

    def __init__(self, width: int, heads: int, kv_heads: int) -> None:
        super().__init__()
        self.heads, self.kv_heads, narrow = heads, kv_heads, width // heads * kv_heads
        self.q, self.k, self.v, self.o = (
            nn.Linear(width, units, bias=False) for units in (width, narrow, narrow, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Attend to the positions up to one's own."""
        q = rotary(self.q(x), self.heads, 500_000)
        k = rotary(self.k(x), self.kv_heads, 500_000)
        y: Tensor = self.o(attention(q, k, self.v(x), heads=self.heads, kv_heads=self.kv_heads, causal=True))
        return y


class LlamaDecoder(nn.Module):
    """Both branches normalised first, the second one gated."""

    def __init__(self, width: int, heads: int, kv_heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.RMSNorm(width, 1e-5), nn.RMSNorm(width, 1e-5)
        self.attention = LlamaAttention(width, heads, kv_heads)
        self.gate, self.up = nn.Linear(width, hidden, bias=False), nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Attend, then act on each position."""
        x = x + self.attention(self.norm1(x))
        z = self.norm2(x)
        y: Tensor = x + self.down(functional.silu(self.gate(z)) * self.up(z))
        return y


class Llama(nn.Module):
    """llama.yaml; the head reads the token embedding's table."""

    def __init__(
        self, width: int = 64, depth: int = 2, heads: int = 8, kv_heads: int = 2, hidden: int = 176,
        vocabulary: int = 500,
    ) -> None:  # fmt: skip
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.decoders = nn.Sequential(*(LlamaDecoder(width, heads, kv_heads, hidden) for _ in range(depth)))
        self.norm = nn.RMSNorm(width, 1e-5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Token numbers to the scores of each next token."""
        return functional.linear(self.norm(self.decoders(self.tokens(tokens))), self.tokens.weight)


class WaveNetUnit(nn.Module):
    """A gated unit that reads its own position and one before it."""

    def __init__(self, width: int, skips: int, dilation: int, is_last: bool) -> None:
        super().__init__()
        self.dilation = dilation
        self.both = nn.Conv1d(width, 2 * width, 2, dilation=dilation)
        self.skip = nn.Conv1d(width, skips, 1)
        self.step = nn.Identity() if is_last else nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What goes on to the next unit, and what to the scores."""
        filtered, gate = self.both(functional.pad(x, (self.dilation, 0))).chunk(2, 1)
        y = filtered.tanh() * gate.sigmoid()
        skip = self.skip(y)
        return x + self.step(y), skip


class WaveNet(nn.Module):
    """wavenet.yaml."""

    def __init__(self, width: int = 16, skips: int = 24, values: int = 256) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, width, 2)
        dilations = (1, 2, 4, 8) * 2
        self.units = nn.ModuleList(
            WaveNetUnit(width, skips, dilation, number == len(dilations) - 1)
            for number, dilation in enumerate(dilations)
        )
        self.head = nn.Sequential(
            nn.ReLU(), nn.Conv1d(skips, skips, 1), nn.ReLU(), nn.Conv1d(skips, values, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """A wave to the scores of what comes next, at each time."""
        x, found = self.first(functional.pad(x, (1, 0))), []
        for unit in self.units:
            x, skip = unit(x)
            found.append(skip)
        y: Tensor = self.head(torch.stack(found).sum(0))
        return y


class Unshuffled(nn.Module):
    """unshuffled.yaml."""

    def __init__(self, width: int = 24, depth: int = 3) -> None:
        super().__init__()
        self.head = nn.Conv2d(12, width, 3, padding=1)
        self.units = nn.ModuleList(
            nn.Sequential(self.conv(width, width), nn.ReLU(), self.conv(width, width)) for _ in range(depth)
        )
        self.tail, self.last = self.conv(width, width), self.conv(width, 48)

    @staticmethod
    def conv(channels: int, filters: int) -> nn.Module:
        """A convolution that keeps the size."""
        return nn.Conv2d(channels, filters, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """A picture to one twice as large."""
        y = head = self.head(functional.pixel_unshuffle(x, 2))
        for unit in self.units:
            y = y + 0.1 * unit(y)
        fine = functional.pixel_shuffle(self.last(head + self.tail(y)), 4)
        return fine + functional.interpolate(x, scale_factor=2.0, mode="bicubic")


OWN = {
    "lenet5": LeNet5, "unet": UNet, "gpt2_small": GPT2, "lstm": SentenceClassifier, "llama": Llama,
    "wavenet": WaveNet, "unshuffled": Unshuffled,
}  # fmt: skip
ARGUMENTS = {
    "googlenet": {"aux_logits": False, "init_weights": False},
    "inception_v3": {"aux_logits": False, "init_weights": False},
    "vit_b_16": {"image_size": 96},
}


def build(name: str) -> nn.Module:
    """A network by its name here and in torchvision."""
    if name in OWN:
        return OWN[name]()
    return models.get_model(name, weights=None, **ARGUMENTS.get(name, {}))
