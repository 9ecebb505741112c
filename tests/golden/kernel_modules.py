"""The other layers, by PyTorch's modules: each builder takes the input shapes, without the batch, and netcalc's options.

A module's parameters have the names that netcalc's have; `own_name` writes the few that differ.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import make_shapes
import torch
from kernel_functions import FUNCTIONS, crop, dim, pad, per_axis
from make_parameters import Grouped, OnGrid
from torch import Tensor, nn
from torchvision.models.maxvit import (
    RelativePositionalMultiHeadAttention,
    SwapAxes,
    WindowDepartition,
    WindowPartition,
)
from torchvision.models.swin_transformer import ShiftedWindowAttention, ShiftedWindowAttentionV2
from torchvision.models.video.mvit import MultiscaleAttention
from torchvision.models.video.swin_transformer import ShiftedWindowAttention3d

Options = dict[str, Any]
Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]


def own_name(name: str) -> str:
    """A parameter's name as netcalc has it."""
    for prefix in ("inner.", "attention."):
        name = name.removeprefix(prefix)
    return name.replace("to_qkv.", "qkv.").replace("merge.", "proj.")


class Around(nn.Module):
    """A module with a function before it, or after."""

    def __init__(
        self,
        inner: nn.Module,
        before: Callable[[Tensor], Tensor] = torch.clone,
        after: Callable[..., Tensor] = torch.clone,
    ) -> None:
        super().__init__()
        self.inner, self.before, self.after = inner, before, after

    def forward(self, x: Tensor) -> Tensor:
        """One after the other."""
        return self.after(self.inner(self.before(x)))


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Tensor], options: Options) -> None:
        super().__init__()
        self.function, self.options = function, options

    def forward(self, *xs: Tensor) -> Tensor:
        """Call it."""
        return self.function(*xs, **self.options)


class Joined(nn.Module):
    """A bare parameter, added, multiplied, or put before the input along an axis."""

    def __init__(self, shape: list[int], join: str, axis: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))
        self.join, self.axis = join, axis

    def forward(self, x: Tensor) -> Tensor:
        """Join it to every sample."""
        if self.join == "prepend":
            return torch.cat([self.weight.expand(x.shape[0], *self.weight.shape), x], dim(self.axis))
        return x + self.weight if self.join == "add" else x * self.weight


class Attention(nn.Module):
    """Multi-head attention on one to three inputs."""

    def __init__(self, inner: nn.MultiheadAttention, causal: bool) -> None:
        super().__init__()
        self.inner, self.causal = inner, causal

    def forward(self, *xs: Tensor) -> Tensor:
        """Attend, where causal to the positions up to the query's."""
        query, key, value = xs[0], xs[min(1, len(xs) - 1)], xs[-1]
        mask = torch.ones(query.shape[1], key.shape[1], dtype=torch.bool).triu(1) if self.causal else None
        y: Tensor = self.inner(query, key, value, need_weights=False, attn_mask=mask)[0]
        return y


class Partitioned(nn.Module):
    """MaxViT's attention in windows or across grids of H,W,C, scaled by the width of a head.

    torchvision scales by the width of all heads together, the paper by that of one.
    """

    def __init__(self, channels: int, heads: int, size: int, grid: bool) -> None:
        super().__init__()
        self.attention = RelativePositionalMultiHeadAttention(channels, channels // heads, size**2)
        self.attention.scale_factor = (channels // heads) ** -0.5
        self.size, self.grid = size, grid
        self.swap = SwapAxes(-2, -3) if grid else nn.Identity()
        self.part, self.join = WindowPartition(), WindowDepartition()

    def forward(self, x: Tensor) -> Tensor:
        """Deal the positions out to blocks, attend within each, and put them back."""
        height, width = x.shape[1:3]
        cells = height // self.size if self.grid else self.size
        parts = self.swap(self.attention(self.swap(self.part(x.movedim(-1, 1), cells))))
        y: Tensor = self.join(parts, cells, height // cells, width // cells).movedim(1, -1)
        return y


class Recurrent(nn.Module):
    """A recurrent module's outputs, or the final states of its top layer."""

    def __init__(self, inner: nn.RNNBase, last: bool) -> None:
        super().__init__()
        self.inner, self.last = inner, last

    def forward(self, x: Tensor) -> Tensor:
        """Run from states of zeros."""
        y, state = self.inner(x)
        hidden = state[0] if isinstance(state, tuple) else state
        top: Tensor = torch.cat(list(hidden[-2 if self.inner.bidirectional else -1 :]), dim=-1)
        return top if self.last else y


def windowed(xs: Shapes, kind: str, **options: Any) -> nn.Module:
    """A convolution or pool; padding that PyTorch's own module does not take is done apart."""
    cells = options.get("pad", 0)
    if cells == "causal":
        cells = [[options.get("dilation", 1) * (options["kernel"] - 1), 0]]
    if cells == "same" and "stride" in options:
        total = [size - 1 for size in per_axis(options["kernel"], len(xs[0]) - 1)]
        cells = [[rest // 2, rest - rest // 2] for rest in total]
    if not isinstance(cells, list) or isinstance(cells[0], int):
        return make_shapes.build(kind, list(xs[0]), options)
    inner = make_shapes.build(kind, list(xs[0]), {name: o for name, o in options.items() if name != "pad"})
    if kind == "conv_transpose":
        return Around(inner, after=partial(crop, crop=cells))
    return Around(inner, partial(pad, pad=cells, mode=options.get("padding_mode", "zeros")))


def depthwise(xs: Shapes, multiplier: int = 1, **options: Any) -> nn.Module:
    """A convolution with as many groups as channels."""
    channels = xs[0][0]
    return windowed(xs, "conv", **options, groups=channels, filters=channels * multiplier)


def linear(xs: Shapes, units: int, bias: bool = True) -> nn.Module:
    """nn.Linear."""
    return nn.Linear(xs[0][-1], units, bias)


def embedding(_: Shapes, entries: int, width: int) -> nn.Module:
    """nn.Embedding."""
    return nn.Embedding(entries, width)


def bare(_: Shapes, shape: list[int], join: str = "add", axis: int = 0) -> nn.Module:
    """A bare parameter."""
    return Joined(shape, join, axis)


def attention(
    xs: Shapes, heads: int, bias: bool = True, causal: bool = False, kv_heads: int | None = None
) -> nn.Module:
    """nn.MultiheadAttention; its keys' and values' widths are those of its inputs."""
    key, value = xs[min(1, len(xs) - 1)], xs[-1]
    if kv_heads is not None:
        return Grouped((xs[0][1], key[1], value[1]), heads, kv_heads, bias, causal)
    inner = nn.MultiheadAttention(xs[0][1], heads, bias=bias, kdim=key[1], vdim=value[1], batch_first=True)
    return Attention(inner, causal)


def window_attention(
    xs: Shapes, size: Any, heads: int, shift: Any = 0, bias: bool = True, **form: bool
) -> nn.Module:
    """Swin's, video Swin's or, with `cosine`, Swin v2's; with `grid` given, true or false, MaxViT's."""
    axes, channels = len(xs[0]) - 1, xs[0][-1]
    if "grid" in form:
        return Partitioned(channels, heads, size, form["grid"])
    kind = ShiftedWindowAttentionV2 if form.get("cosine") else ShiftedWindowAttention
    kind = ShiftedWindowAttention3d if axes == 3 else kind
    module: nn.Module = kind(channels, per_axis(size, axes), per_axis(shift, axes), heads, qkv_bias=bias)
    return module


def pooled_attention(
    xs: Shapes, heads: int, size: list[int], width: int | None = None, residual: str = "none",
    positions: bool = False, **pools: list[int],
) -> nn.Module:  # fmt: skip
    """MViT's attention on tokens of a known grid."""
    channels = xs[0][1]
    windows = [pools.get(name, [1, 1, 1]) for name in ("kernel_q", "kernel_kv", "stride_q", "stride_kv")]
    inner = MultiscaleAttention(
        size, channels, width or channels, heads, *windows, residual_pool=residual != "none",
        residual_with_cls_embed=residual == "all", rel_pos_embed=positions,
    )  # fmt: skip
    return OnGrid(inner, size)


def recurrent(
    xs: Shapes, kind: type[nn.RNNBase], units: int, last: bool = False, **options: Any
) -> nn.Module:
    """nn.RNN, nn.LSTM or nn.GRU."""
    names = {"layers": "num_layers", "activation": "nonlinearity"}
    others = {names.get(name, name): value for name, value in options.items()}
    return Recurrent(kind(xs[0][1], units, batch_first=True, **others), last)


def batch_norm(xs: Shapes, running: bool = True, **options: Any) -> nn.Module:
    """By the rank of the input."""
    norm = getattr(nn, f"BatchNorm{max(1, len(xs[0]) - 1)}d")
    module: nn.Module = norm(xs[0][0], track_running_stats=running, **options)
    return module


def layer_norm(
    xs: Shapes, axes: int = 1, channels: bool = False, affine: bool = True, **options: Any
) -> nn.Module:
    """Over the last axes, or over the channels at each position, as ConvNeXt's LayerNorm2d."""
    x = xs[0]
    inner = nn.LayerNorm(x[:1] if channels else x[-axes:], elementwise_affine=affine, **options)
    if not channels:
        return inner
    return Around(inner, lambda t: t.movedim(1, -1), lambda t: t.movedim(-1, 1))


def rms_norm(
    xs: Shapes, axes: int = 1, channels: bool = False, affine: bool = True, eps: float | None = None
) -> nn.Module:
    """Over the last axes, or over the channels at each position."""
    x = xs[0]
    inner = nn.RMSNorm(x[:1] if channels else x[-axes:], eps, affine)
    return Around(inner, lambda t: t.movedim(1, -1), lambda t: t.movedim(-1, 1)) if channels else inner


def instance_norm(xs: Shapes, **options: Any) -> nn.Module:
    """By the rank of the input."""
    module: nn.Module = getattr(nn, f"InstanceNorm{len(xs[0]) - 1}d")(xs[0][0], **options)
    return module


def group_norm(xs: Shapes, groups: int, **options: Any) -> nn.Module:
    """nn.GroupNorm."""
    return nn.GroupNorm(groups, xs[0][0], **options)


def prelu(_: Shapes, channels: int = 1) -> nn.Module:
    """nn.PReLU."""
    return nn.PReLU(channels)


def dropout(_: Shapes, rate: float) -> nn.Module:
    """nn.Dropout, in place of stochastic depth too: at rates of 0 and 1 and in inference they are alike."""
    return nn.Dropout(rate)


WINDOWED = ("conv", "conv_transpose", "maxpool", "avgpool", "adaptive_avgpool", "adaptive_maxpool")
MODULES: dict[str, Callable[..., nn.Module]] = {
    **{kind: partial(windowed, kind=kind) for kind in WINDOWED},
    "depthwise_conv": depthwise,
    "linear": linear,
    "embedding": embedding,
    "parameter": bare,
    "multi_head_attention": attention,
    "window_attention": window_attention,
    "pooled_attention": pooled_attention,
    "rnn": partial(recurrent, kind=nn.RNN),
    "lstm": partial(recurrent, kind=nn.LSTM),
    "gru": partial(recurrent, kind=nn.GRU),
    "batchnorm": batch_norm,
    "layernorm": layer_norm,
    "rmsnorm": rms_norm,
    "instancenorm": instance_norm,
    "groupnorm": group_norm,
    "prelu": prelu,
    "dropout": dropout,
    "stochastic_depth": dropout,
}


def build(kind: str, inputs: Shapes, options: Options) -> nn.Module:
    """The module that a layer is measured by."""
    return MODULES[kind](inputs, **options) if kind in MODULES else Function(FUNCTIONS[kind], options)
