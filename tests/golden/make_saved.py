"""Record what PyTorch's layers and networks keep for backward, the measure of netcalc's rules.

Every layer case is [kind, options, input shapes, needs, kept]: kind and options in netcalc's words,
shapes without the batch axis, `needs` whether a gradient goes back to each input, and `kept` for
each batch measured [batch, positions of the inputs kept, whether the output is kept, bytes beside
them]. Every network is [name, input shape, batch, bytes kept]. Every peak is [name, input shape, batch,
the most bytes that tensors made by a forward and backward take at once], the weights' gradients among them.

What is kept are the storages of the tensors that autograd saves (torch.autograd.graph's
saved_tensors_hooks), each counted once, without parameters and buffers, in training mode, float32,
eager, on the CPU. Activations whose gradient PyTorch takes from their output work in place, as torchvision
has them. oneDNN is off: its fused LSTM keeps a workspace of its own. A run with the same versions
writes the same file, saved.json beside this script:

    pip install torch==2.13.0 torchvision==0.28.0
    python tests/golden/make_saved.py
"""

import json
import sys
import types
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

sys.modules["torchvision._meta_registrations"] = types.ModuleType("absent")  # needs compiled operators

import torchvision  # noqa: E402
from kernel_functions import FUNCTIONS  # noqa: E402
from kernel_modules import build  # noqa: E402
from make_parameters import (  # noqa: E402
    MultiscaleAttention,
    OnGrid,
    RelativePositionalMultiHeadAttention,
    ShiftedWindowAttention,
    attended,
    attentions,
    convolutions,
    later,
    norms,
    pooled,
    recurrents,
    single,
    windows,
)

Shape = tuple[int, ...]
BATCHES = (2, 3)


class Case(NamedTuple):
    """A layer of netcalc, its inputs without the batch, and what computes it here."""

    kind: str
    options: dict[str, Any]
    inputs: tuple[Shape, ...]
    module: Callable[..., Any]
    needs: tuple[bool, ...] = ()


class Saved:
    """The storages of everything that autograd saves inside the `with`."""

    def __init__(self) -> None:
        self.bytes: dict[int, int] = {}
        self.held: list[Tensor] = []  # an address is given out again once its storage is gone

    def __enter__(self) -> "Saved":
        self.hooks = torch.autograd.graph.saved_tensors_hooks(self.pack, lambda tensor: tensor)
        self.hooks.__enter__()
        return self

    def __exit__(self, *problem: Any) -> None:
        self.hooks.__exit__(*problem)

    def pack(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        self.bytes[storage.data_ptr()] = storage.nbytes()
        self.held.append(tensor)
        return tensor

    def without(self, module: Any) -> dict[int, int]:
        """Bytes by place, but for the module's own parameters and buffers."""
        own = (*module.parameters(), *module.buffers()) if isinstance(module, nn.Module) else ()
        places = set(map(address, own))
        return {place: size for place, size in self.bytes.items() if place not in places}


def address(tensor: Tensor) -> int:
    """Where a tensor's storage lies."""
    return tensor.untyped_storage().data_ptr()


def plain() -> Iterator[Case]:
    """Pools, activations, shapes and joins."""
    image = ((4, 9, 8),)
    yield Case("maxpool", {"kernel": 2}, ((4, 9),), nn.MaxPool1d(2))
    yield Case("maxpool", {"kernel": 3, "stride": 2, "pad": 1}, image, nn.MaxPool2d(3, 2, 1))
    yield Case("maxpool", {"kernel": 2}, ((4, 5, 6, 7),), nn.MaxPool3d(2))
    yield Case("avgpool", {"kernel": 2}, ((4, 9),), nn.AvgPool1d(2))
    yield Case("avgpool", {"kernel": 2}, image, nn.AvgPool2d(2))
    yield Case("avgpool", {"kernel": 2}, ((4, 5, 6, 7),), nn.AvgPool3d(2))
    yield Case("adaptive_avgpool", {"size": 3}, ((4, 9),), nn.AdaptiveAvgPool1d(3))
    yield Case("adaptive_avgpool", {"size": 3}, image, nn.AdaptiveAvgPool2d(3))
    yield Case("adaptive_avgpool", {}, image, nn.AdaptiveAvgPool2d(1))
    yield Case("adaptive_avgpool", {"size": 2}, ((4, 5, 6, 7),), nn.AdaptiveAvgPool3d(2))
    yield Case("adaptive_avgpool", {}, ((4, 5, 6, 7),), nn.AdaptiveAvgPool3d(1))
    yield Case("adaptive_avgpool", {}, ((4, 9),), nn.AdaptiveAvgPool1d(1))
    yield Case("adaptive_maxpool", {"size": 3}, ((4, 9),), nn.AdaptiveMaxPool1d(3))
    yield Case("adaptive_maxpool", {"size": 3}, image, nn.AdaptiveMaxPool2d(3))
    yield Case("adaptive_maxpool", {"size": 2}, ((4, 5, 6, 7),), nn.AdaptiveMaxPool3d(2))
    yield Case("global_avgpool", {}, image, lambda x: functional.adaptive_avg_pool2d(x, 1).flatten(1))
    yield Case("global_maxpool", {}, image, lambda x: functional.adaptive_max_pool2d(x, 1).flatten(1))
    yield Case("global_maxpool", {"keep": True}, ((4, 9),), nn.AdaptiveMaxPool1d(1))
    yield Case("reduce", {"axes": [0]}, ((5, 6),), lambda x: x.mean(1))
    yield Case("reduce", {"axes": [-1], "how": "sum"}, ((5, 6),), lambda x: x.sum(-1))
    yield Case("reduce", {"axes": [1], "how": "max", "keep": True}, ((5, 6),), lambda x: x.amax(2, True))
    yield Case("lrn", {"size": 5}, image, nn.LocalResponseNorm(5))
    yield Case("lrn", {"size": 4, "beta": 0.5, "k": 2.0}, ((6, 7),), nn.LocalResponseNorm(4, beta=0.5, k=2))
    yield Case("layernorm", {"channels": True}, image, ChannelNorm(4))
    yield Case("layernorm", {"channels": True, "affine": False}, image, ChannelNorm(4, False))
    yield Case("relu", {}, image, nn.ReLU(inplace=True))
    yield Case("relu6", {}, image, nn.ReLU6())
    yield Case("leaky_relu", {}, image, nn.LeakyReLU(inplace=True))
    yield Case("elu", {}, image, nn.ELU(inplace=True))
    yield Case("selu", {}, image, nn.SELU(inplace=True))
    yield Case("celu", {}, image, nn.CELU(inplace=True))
    yield Case("celu", {"alpha": 2.0}, image, nn.CELU(2.0, inplace=True))
    yield Case("gelu", {}, image, nn.GELU())
    yield Case("gelu", {"form": "tanh"}, image, nn.GELU("tanh"))
    yield Case("silu", {}, image, nn.SiLU())
    yield Case("sigmoid", {}, image, nn.Sigmoid())
    yield Case("tanh", {}, image, nn.Tanh())
    yield Case("hardsigmoid", {}, image, nn.Hardsigmoid())
    yield Case("hardswish", {}, image, nn.Hardswish())
    yield Case("softplus", {}, image, nn.Softplus())
    yield Case("mish", {}, image, nn.Mish())
    yield Case("softmax", {}, ((5, 6),), nn.Softmax(-1))
    yield Case("softmax", {"axis": 0}, ((5, 6),), nn.Softmax(1))
    yield Case("log_softmax", {}, ((5, 6),), nn.LogSoftmax(-1))
    yield Case("dropout", {}, image, nn.Dropout())
    yield Case("dropout", {"rate": 0}, image, nn.Dropout(0))
    yield Case("dropout", {"rate": 1}, image, nn.Dropout(1))
    yield Case("dropout", {"channels": True}, image, nn.Dropout2d())
    yield Case("stochastic_depth", {"rate": 0.2}, image, torchvision.ops.StochasticDepth(0.2, "row"))
    yield Case("stochastic_depth", {"rate": 0}, image, torchvision.ops.StochasticDepth(0.0, "row"))


def moved() -> Iterator[Case]:
    """Shapes, cuts, sizes and joins."""
    image = ((4, 9, 8),)
    yield Case("identity", {}, image, nn.Identity())
    yield Case("flatten", {}, image, nn.Flatten())
    yield Case("reshape", {"shape": [8, -1]}, image, lambda x: x.reshape(len(x), 8, -1))
    yield Case("permute", {"order": [1, 2, 0]}, image, lambda x: x.permute(0, 2, 3, 1))
    yield Case("squeeze", {}, ((4, 1, 1),), lambda x: x.squeeze(-1).squeeze(-1))
    yield Case("unsqueeze", {"axis": 0}, image, lambda x: x.unsqueeze(1))
    yield Case("pad", {"pad": 1}, image, nn.ZeroPad2d(1))
    yield Case("pad", {"pad": 1, "mode": "reflect"}, image, nn.ReflectionPad2d(1))
    yield Case("pad", {"pad": 1, "mode": "reflect"}, ((4, 9),), nn.ReflectionPad1d(1))
    yield Case("pad", {"pad": 1, "mode": "reflect"}, ((4, 5, 6, 7),), nn.ReflectionPad3d(1))
    yield Case("pad", {"pad": 1, "mode": "replicate"}, image, nn.ReplicationPad2d(1))
    yield Case("pad", {"pad": 1, "mode": "circular"}, image, nn.CircularPad2d(1))
    yield Case("roll", {"shift": [0, 2]}, image, lambda x: torch.roll(x, 2, 2))
    yield Case("channel_shuffle", {"groups": 2}, image, nn.ChannelShuffle(2))
    yield Case("crop", {"crop": 1}, image, lambda x: x[..., 1:-1, 1:-1])
    yield Case("slice", {"end": 2}, image, lambda x: x[:, :2])
    yield Case("split", {"parts": 2, "part": 1}, image, lambda x: x.chunk(2, 1)[1])
    yield Case("upsample", {"factor": 2}, image, nn.Upsample(scale_factor=2))
    yield Case(
        "upsample", {"factor": 2, "mode": "bilinear"}, image, nn.Upsample(scale_factor=2, mode="bilinear")
    )
    yield Case("interpolate", {"size": 7, "mode": "bilinear"}, image,
               lambda x: functional.interpolate(x, (7, 7), mode="bilinear"))  # fmt: skip
    yield Case("pixel_shuffle", {"factor": 2}, image, nn.PixelShuffle(2))
    two = ((4, 5), (4, 5))
    yield Case("add", {}, two, torch.add)
    yield Case("add", {}, ((4, 5), (4, 1), (1, 5)), lambda a, b, c: a + b + c)
    yield Case("multiply", {}, two, torch.mul)
    yield Case("multiply", {}, ((4, 5), (4, 1)), torch.mul)
    yield Case("multiply", {}, two, torch.mul, (True, False))
    yield Case("multiply", {}, (*two, (4, 5)), lambda a, b, c: a * b * c)
    yield Case("concat", {}, two, lambda a, b: torch.cat((a, b), 1))
    yield Case("matmul", {}, ((4, 5), (5, 6)), torch.matmul)
    yield Case("matmul", {"transpose": True}, ((3, 4, 5), (3, 6, 5)), lambda a, b: a @ b.transpose(-2, -1))
    yield Case("matmul", {}, ((3, 4, 5), (1, 5, 6)), torch.matmul)
    yield Case("matmul", {}, ((4, 5), (5, 6)), torch.matmul, (False, True))
    yield Case("multiply", {}, (*two, (4, 5)), lambda a, b, c: a * b * c, (False, False, True))
    yield Case("multiply", {}, (*two, (4, 5)), lambda a, b, c: a * b * c, (True, True, False))
    yield Case("parameter", {"shape": [4, 5]}, ((4, 5),), Joined(torch.add, 4, 5))
    yield Case("parameter", {"shape": [4, 1], "join": "multiply"}, ((4, 5),), Joined(torch.mul, 4, 1))
    yield Case("parameter", {"shape": [1, 5], "join": "prepend"}, ((4, 5),), Joined(prepended, 1, 5))
    for heads, causal in ((1, False), (2, False), (2, True)):
        yield Case("scaled_dot_product_attention", {"heads": heads, "causal": causal}, ((5, 8), (7, 8), (7, 8)),
                   attention(heads, causal))  # fmt: skip
    wider = ((5, 8), (7, 8), (7, 6))
    yield Case("scaled_dot_product_attention", {"heads": 2}, wider, attention(2, False))
    yield Case("scaled_dot_product_attention", {"heads": 1}, wider, attention(1, False))
    yield Case("scaled_dot_product_attention", {"heads": 2, "causal": True}, wider, attention(2, True))
    three = ((5, 8), (7, 8), (7, 8))
    yield Case("multi_head_attention", {"heads": 2}, three, nn.MultiheadAttention(8, 2))


def alone() -> Iterator[Case]:
    """Attention across a grid, and with one head, whose keys and values need no copies."""
    yield Case(
        "window_attention",
        {"size": 4, "heads": 1},
        ((8, 8, 6),),
        ShiftedWindowAttention(6, [4, 4], [0, 0], 1),
    )
    yield Case("window_attention", {"size": 7, "heads": 2, "grid": True}, ((14, 21, 8),), OnBlocks(8, 2, 7))
    for kernel in ([1, 1, 1], [3, 3, 3]):
        module = MultiscaleAttention(
            [2, 4, 4], 6, 6, 1, kernel, [1, 1, 1], [1, 1, 1], [1, 1, 1], False, False, False
        )
        options = {"heads": 1, "size": [2, 4, 4], "kernel_q": kernel}
        yield Case("pooled_attention", options, ((33, 6),), OnGrid(module, [2, 4, 4]))


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of N,C,H,W, as ConvNeXt's."""

    def __init__(self, channels: int, affine: bool = True) -> None:
        super().__init__(channels, elementwise_affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise with the channels last."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Joined(nn.Module):
    """A learned tensor joined to the input."""

    def __init__(self, join: Callable[[Tensor, Tensor], Tensor], *sizes: int) -> None:
        super().__init__()
        self.join, self.weight = join, nn.Parameter(torch.ones(sizes))

    def forward(self, x: Tensor) -> Tensor:
        """Join them."""
        return self.join(x, self.weight)


def prepended(x: Tensor, weight: Tensor) -> Tensor:
    """A learned tensor before each sample."""
    return torch.cat((weight.expand(len(x), *weight.shape), x), 1)


def attention(heads: int, causal: bool) -> Callable[..., Tensor]:
    """Scaled dot products of q, k and v, each N,T,D, split over heads."""

    def attend(*qkv: Tensor) -> Tensor:
        parts = [x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in qkv]
        y = functional.scaled_dot_product_attention(*parts, is_causal=causal)
        return y.transpose(1, 2).flatten(2)

    return attend


class OnBlocks(nn.Module):
    """MaxViT's attention across a grid, on N,H,W,C."""

    def __init__(self, channels: int, heads: int, size: int) -> None:
        super().__init__()
        self.attention, self.size = (
            RelativePositionalMultiHeadAttention(channels, channels // heads, size**2),
            size,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Attend among the cells that lie one in each block of a coarse grid."""
        n, h, w, c = x.shape
        cells = x.reshape(n, self.size, h // self.size, self.size, w // self.size, c).permute(
            0, 2, 4, 1, 3, 5
        )
        y = self.attention(cells.reshape(n, -1, self.size**2, c)).reshape(cells.shape)
        return y.permute(0, 3, 1, 4, 2, 5).reshape(x.shape)


def layers() -> Iterator[Case]:
    """Every case of a layer, those of make_parameters.py among them."""
    yield from plain()
    yield from moved()
    yield from alone()
    for family in (convolutions, single, norms, attentions, windows, pooled, recurrents, later):
        for case in family():
            if "grid" not in case.options:  # which count the same on blocks cut beforehand
                yield Case(*case)
    yield from written()


def written() -> Iterator[Case]:
    """Functions that are written out, resampling between corners, padding beforehand."""
    image, tokens, two = ((4, 9, 8),), ((5, 8),), ((4, 5), (4, 5))
    yield Case("subtract", {}, two, torch.sub)
    yield Case("divide", {}, two, torch.div)
    yield Case("divide", {}, ((4, 5), (4, 1)), torch.div)
    yield Case("divide", {}, two, torch.div, (True, False))
    yield Case("divide", {}, two, torch.div, (False, True))
    for kind in ("sqrt", "exp", "log", "absolute"):
        yield Case(kind, {}, image, getattr(torch, kind))
    yield Case("power", {"exponent": 2}, image, lambda x: x**2)
    yield Case("power", {"exponent": 0.5}, image, lambda x: x**0.5)
    yield Case("scale", {"factor": 2.0, "shift": 1.0}, image, lambda x: x * 2 + 1)
    for gate in ("sigmoid", "silu", "gelu", "relu", "tanh", "identity"):
        yield Case("glu", {"gate": gate}, tokens, partial(FUNCTIONS["glu"], gate=gate))
    yield Case("glu", {"axis": 0}, image, nn.GLU(1))
    for options in ({"heads": 2}, {"width": 4}):
        yield Case("rotary", options, tokens, partial(FUNCTIONS["rotary"], **options))
    for heads, kv_heads, value in ((4, 2, 4), (4, 1, 2), (4, 2, 6), (4, 1, 3)):
        options = {"heads": heads, "kv_heads": kv_heads, "causal": True}
        yield Case("scaled_dot_product_attention", options, ((5, 8), (7, 2 * kv_heads), (7, value)),
                   partial(FUNCTIONS["scaled_dot_product_attention"], **options))  # fmt: skip
    yield Case("rmsnorm", {"channels": True, "eps": 1e-3}, image,
               build("rmsnorm", image, {"channels": True, "eps": 1e-3}))  # fmt: skip
    yield Case("pixel_unshuffle", {"factor": 2}, ((4, 6, 8),), nn.PixelUnshuffle(2))
    for mode in ("bilinear", "bicubic"):
        options = {"size": [7, 5], "mode": mode, "align_corners": True}
        yield Case("interpolate", options, image, partial(FUNCTIONS["interpolate"], **options))
    for options in (
        {"filters": 6, "kernel": 3, "dilation": 2, "pad": "causal"},
        {"filters": 6, "kernel": 4, "pad": "same"},
        {"filters": 6, "kernel": 3, "pad": "same"},
        {"filters": 6, "kernel": 3, "pad": 2, "padding_mode": "reflect"},
        {"filters": 6, "kernel": 3, "pad": 2, "padding_mode": "replicate"},
        {"filters": 6, "kernel": 3, "pad": 2, "padding_mode": "circular"},
    ):
        yield Case("conv", options, ((4, 9),), build("conv", ((4, 9),), options))


def record(case: Case) -> list[Any]:
    """A layer's case, as the file has it."""
    needs = case.needs or (case.kind != "embedding",) * len(case.inputs)
    return [case.kind, case.options, case.inputs, needs, [kept(case, needs, batch) for batch in BATCHES]]


def kept(case: Case, needs: Sequence[bool], batch: int) -> list[Any]:
    """What one run in training mode keeps: inputs by position, the output, bytes beside them."""
    options = {}
    if isinstance(case.module, nn.RNNBase | nn.MultiheadAttention):
        case.module.batch_first = True
    if isinstance(case.module, nn.MultiheadAttention):
        options = {"need_weights": False, "is_causal": case.options.get("causal", False)}
    leaves = [example(case.kind, (batch, *shape)) for shape in case.inputs]
    # a clone is no leaf, so that it can be written over
    xs = [leaf.requires_grad_().clone() if need else leaf for leaf, need in zip(leaves, needs, strict=True)]
    with Saved() as saved:
        y = case.module(*attended(case, xs), **options)
    sizes = saved.without(case.module)
    output = address(y[0] if isinstance(y, tuple) else y)
    inputs = [position for position, x in enumerate(xs) if address(x) in sizes and address(x) != output]
    beside = [size for place, size in sizes.items() if place not in {output, *map(address, xs)}]
    return [batch, inputs, output in sizes, sum(beside)]


def example(kind: str, shape: Shape) -> Tensor:
    """An input of a layer."""
    return torch.randint(0, 3, shape) if kind == "embedding" else torch.rand(shape)


class UNet(nn.Module):
    """U-Net of Ronneberger et al. 2015, without padding, with dropout on the two deepest levels."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 64, 128, 256, 512, 1024)
        self.down = nn.ModuleList(map(self.convs, widths, widths[1:]))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in widths[4:0:-1])
        self.join = nn.ModuleList(self.convs(2 * width, width) for width in widths[4:0:-1])
        self.classify = nn.Conv2d(64, 2, 1)

    @staticmethod
    def convs(channels: int, filters: int) -> nn.Module:
        """Two convolutions, each with its activation."""
        first, second = nn.Conv2d(channels, filters, 3), nn.Conv2d(filters, filters, 3)
        return nn.Sequential(first, nn.ReLU(inplace=True), second, nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        """Contract, then expand beside what was copied and cropped."""
        copies: list[Tensor] = []
        for level, convs in enumerate(self.down):
            x = convs(x if level == 0 else functional.max_pool2d(x, 2))
            x = functional.dropout(x) if level >= 3 else x
            copies.append(x)
        for up, join, copied in zip(self.up, self.join, reversed(copies[:-1]), strict=True):
            x = up(x)
            before = (copied.shape[-1] - x.shape[-1]) // 2
            cropped = copied[..., before : before + x.shape[-2], before : before + x.shape[-1]]
            x = join(torch.cat((cropped, x), 1))
        y: Tensor = self.classify(x)
        return y


NETWORKS: tuple[tuple[str, Shape], ...] = (
    ("alexnet", (3, 227, 227)),
    ("alexnet-dropout", (3, 224, 224)),
    ("vgg16", (3, 224, 224)),
    ("resnet18", (3, 224, 224)),
    ("resnet50", (3, 224, 224)),
    ("densenet121", (3, 224, 224)),
    ("mobilenet_v2", (3, 224, 224)),
    ("mobilenet_v3_large", (3, 224, 224)),
    ("efficientnet_b0", (3, 224, 224)),
    ("unet", (1, 188, 188)),
    ("convnext_tiny", (3, 224, 224)),
    ("vit_b_16", (3, 224, 224)),
    ("squeezenet1_1", (3, 224, 224)),
    ("shufflenet_v2_x1_0", (3, 224, 224)),
    ("regnet_y_400mf", (3, 224, 224)),
    ("swin_t", (3, 224, 224)),
    ("maxvit_t", (3, 224, 224)),
)


def network(name: str) -> nn.Module:
    """A network by the name that netcalc bundles it under; AlexNet also with its dropout."""
    if name == "unet":
        return UNet()
    module = torchvision.models.get_model(name.removesuffix("-dropout"), weights=None)
    if name in ("alexnet", "vgg16"):  # whose specs have no pool there; at these sizes it only copies
        module.avgpool = nn.Identity()
    if name == "alexnet":
        for layer in module.classifier:
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
    return module


def record_network(name: str, shape: Shape, batch: int = BATCHES[0]) -> list[Any]:
    """A network's case, as the file has it."""
    module = network(name).train()
    with Saved() as saved:
        module(torch.rand(batch, *shape))
    return [name, shape, batch, sum(saved.without(module).values())]


PEAKS: tuple[tuple[str, Shape, int], ...] = (
    ("vgg16", (3, 224, 224), 1),
    ("resnet18", (3, 112, 112), 4),
    ("densenet121", (3, 96, 96), 2),
    ("mobilenet_v2", (3, 96, 96), 4),
    ("efficientnet_b0", (3, 96, 96), 4),
    ("unet", (1, 188, 188), 1),
    ("convnext_tiny", (3, 96, 96), 2),
    ("vit_b_16", (3, 224, 224), 2),
)


class Living(TorchDispatchMode):
    """Bytes of the storages that operators make inside the `with`, now and at their highest."""

    def __init__(self, known: set[int]) -> None:
        super().__init__()
        self.known, self.seen = known, weakref.WeakSet[Any]()
        self.now = self.highest = 0

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = operator(*args, **(kwargs or {}))
        for result in tree_leaves(results):
            if isinstance(result, Tensor) and address(result) not in self.known:
                self.count(result.untyped_storage())
        return results

    def count(self, storage: Any) -> None:
        """A storage, until it is gone."""
        if storage in self.seen:
            return
        self.seen.add(storage)
        self.now += storage.nbytes()
        self.highest = max(self.highest, self.now)
        weakref.finalize(storage, self.lose, storage.nbytes())

    def lose(self, nbytes: int) -> None:
        """A storage is gone."""
        self.now -= nbytes


def record_peak(name: str, shape: Shape, batch: int) -> list[Any]:
    """The peak of a forward and backward, as the file has it."""
    module, x = network(name).train(), torch.rand(batch, *shape)
    with Living({address(tensor) for tensor in (x, *module.parameters(), *module.buffers())}) as living:
        y = module(x)
        y.backward(torch.ones_like(y))
    return [name, shape, batch, living.highest]


def main() -> None:
    """Record every case and write the file."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.backends.mkldnn.enabled = False
    lines = [json.dumps(record(case), separators=(",", ":")) for case in layers()]
    torch.backends.mkldnn.enabled = True
    nets = [json.dumps(record_network(*case), separators=(",", ":")) for case in NETWORKS]
    peaks = [json.dumps(record_peak(*case), separators=(",", ":")) for case in PEAKS]
    versions = [module.__version__.split("+")[0] for module in (torch, torchvision)]
    source = "PyTorch {}, torchvision {}, recorded by make_saved.py".format(*versions)
    text = f'{{"source":{json.dumps(source)},"layers":[\n' + ",\n".join(lines)
    text += '\n],"networks":[\n' + ",\n".join(nets) + '\n],"peaks":[\n' + ",\n".join(peaks) + "\n]}\n"
    Path(__file__).with_name("saved.json").write_text(text, encoding="utf-8")
    print(f"{len(lines)} layers, {len(nets)} networks")


if __name__ == "__main__":
    main()
