"""The PyTorch module that each kind of layer is measured by, from its options and input shapes.

A module's parameters have the names that netcalc's have; `own_name` writes the few that differ.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import make_shapes
import torch
from make_parameters import OnGrid
from make_shapes import PADS, sides
from torch import Tensor, nn
from torch.nn import functional
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


def own_name(name: str) -> str:
    """A parameter's name as netcalc has it."""
    for prefix in ("inner.", "attention."):
        name = name.removeprefix(prefix)
    return name.replace("to_qkv.", "qkv.").replace("merge.", "proj.")


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *xs: Tensor) -> Tensor:
        """Call it."""
        return self.function(*xs)


class Padded(nn.Module):
    """A convolution of an input padded beforehand, by other amounts at the two sides."""

    def __init__(self, inner: nn.Module, pad: Any, mode: str) -> None:
        super().__init__()
        self.inner, self.pad, self.mode = inner, sides(pad), mode

    def forward(self, x: Tensor) -> Tensor:
        """Pad and run."""
        y: Tensor = self.inner(functional.pad(x, self.pad, "constant" if self.mode == "zeros" else self.mode))
        return y


class Cropped(nn.Module):
    """A transposed convolution whose output loses other amounts at the two sides."""

    def __init__(self, inner: nn.Module, pad: Any) -> None:
        super().__init__()
        self.inner, self.crop = inner, tuple(-cells for cells in sides(pad))

    def forward(self, x: Tensor) -> Tensor:
        """Run and crop."""
        return functional.pad(self.inner(x), self.crop)


class Joined(nn.Module):
    """A bare parameter, added, multiplied, or put before the input along an axis."""

    def __init__(self, shape: list[int], join: str = "add", axis: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))
        self.join, self.axis = join, axis if axis < 0 else axis + 1

    def forward(self, x: Tensor) -> Tensor:
        """Join it to every sample."""
        if self.join == "prepend":
            return torch.cat([self.weight.expand(x.shape[0], *self.weight.shape), x], self.axis)
        return x + self.weight if self.join == "add" else x * self.weight


class ChannelNorm(nn.Module):
    """A layer norm over the channels at each position, as ConvNeXt's LayerNorm2d."""

    def __init__(self, inner: nn.LayerNorm) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """Normalise with the channels last."""
        y: Tensor = self.inner(x.movedim(1, -1)).movedim(-1, 1)
        return y


class Attention(nn.Module):
    """Multi-head attention on one to three inputs."""

    def __init__(self, inner: nn.MultiheadAttention, causal: bool) -> None:
        super().__init__()
        self.inner, self.causal = inner, causal

    def forward(self, *xs: Tensor) -> Tensor:
        """Attend, where causal to the positions up to the query's."""
        query, key, value = xs[0], xs[min(1, len(xs) - 1)], xs[-1]
        mask = None
        if self.causal:
            mask = torch.ones(query.shape[1], key.shape[1], dtype=torch.bool).triu(1)
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
        self.swap, self.part, self.join = SwapAxes(-2, -3), WindowPartition(), WindowDepartition()

    def forward(self, x: Tensor) -> Tensor:
        """Deal the positions out to blocks, attend within each, and put them back."""
        blocks = x.shape[1] // self.size
        cells = blocks if self.grid else self.size
        parts = self.part(x.movedim(-1, 1), cells)
        parts = self.swap(self.attention(self.swap(parts))) if self.grid else self.attention(parts)
        y: Tensor = self.join(parts, cells, x.shape[1] // cells, x.shape[2] // cells).movedim(1, -1)
        return y


class Recurrent(nn.Module):
    """A recurrent module's outputs, or the final states of its top layer."""

    def __init__(self, inner: nn.RNNBase, last: bool) -> None:
        super().__init__()
        self.inner, self.last = inner, last

    def forward(self, x: Tensor) -> Tensor:
        """Run from states of zeros."""
        y, state = self.inner(x)
        if not self.last:
            return y  # type: ignore[no-any-return]
        hidden = state[0] if isinstance(state, tuple) else state
        directions = 2 if self.inner.bidirectional else 1
        return torch.cat(list(hidden[-directions:]), dim=-1)


def windowed(kind: str, x: Shape, options: Options) -> nn.Module:
    """A convolution or pool; padding that PyTorch's own module does not take is done apart."""
    pad = options.get("pad", 0)
    if pad == "same" and "stride" in options:
        cells = [size - 1 for size in per_axis(options["kernel"], len(x) - 1)]
        pad = [[rest // 2, rest - rest // 2] for rest in cells]
    if kind == "pad" or not isinstance(pad, list) or all(isinstance(cells, int) for cells in pad):
        return make_shapes.build(kind, list(x), options)
    inner = make_shapes.build(kind, list(x), {name: o for name, o in options.items() if name != "pad"})
    return Cropped(inner, pad) if kind == "conv_transpose" else Padded(inner, pad, options.get("padding_mode", "zeros"))


def per_axis(value: Any, axes: int) -> list[int]:
    """One number for each axis."""
    return [value] * axes if isinstance(value, int) else value


def depthwise(x: Shape, options: Options) -> nn.Module:
    """A convolution with as many groups as channels."""
    others = {name: value for name, value in options.items() if name != "multiplier"}
    return windowed("conv", x, {**others, "groups": x[0], "filters": x[0] * options.get("multiplier", 1)})


def padding(x: Shape, options: Options) -> nn.Module:
    """Cells around the input, of a value or taken from it."""
    if "value" in options:
        return Function(lambda t: functional.pad(t, _all_sides(x, options["pad"]), value=options["value"]))
    return windowed("pad", x, options)


def _all_sides(x: Shape, pad: Any) -> Any:
    return sides([pad] * (len(x) - 1) if isinstance(pad, int) else pad)


def crop(x: Shape, options: Options) -> nn.Module:
    """Cells cut off: those named, or those around a size in the centre."""
    cut = options.get("crop", 0)
    if "size" in options:
        size = options["size"]
        wanted = [size] * (len(x) - 1) if isinstance(size, int) else size
        rests = [own - left for own, left in zip(x[1:], wanted, strict=True)]
        cut = [[rest // 2, rest - rest // 2] for rest in rests]
    return Function(lambda t: functional.pad(t, [-cells for cells in _all_sides(x, cut)]))


def batch_norm(x: Shape, momentum: float = 0.1, affine: bool = True, running: bool = True, **eps: Any) -> nn.Module:
    """By the rank of the input."""
    norm = getattr(nn, f"BatchNorm{max(1, len(x) - 1)}d")
    module: nn.Module = norm(x[0], momentum=momentum, affine=affine, track_running_stats=running, **eps)
    return module


def layer_norm(x: Shape, axes: int = 1, channels: bool = False, affine: bool = True, **others: Any) -> nn.Module:
    """Over the last axes, or over the channels."""
    inner = nn.LayerNorm(x[:1] if channels else x[-axes:], elementwise_affine=affine, **others)
    return ChannelNorm(inner) if channels else inner


def attention(xs: list[Shape], heads: int, bias: bool = True, causal: bool = False) -> nn.Module:
    """nn.MultiheadAttention; its keys' and values' widths are those of its inputs."""
    key, value = xs[min(1, len(xs) - 1)], xs[-1]
    inner = nn.MultiheadAttention(xs[0][1], heads, bias=bias, kdim=key[1], vdim=value[1], batch_first=True)
    return Attention(inner, causal)


def dot_product(heads: int = 1, causal: bool = False) -> nn.Module:
    """scaled_dot_product_attention of the heads side by side."""

    def attend(*xs: Tensor) -> Tensor:
        q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in xs)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return y.transpose(1, 2).flatten(2)

    return Function(attend)


def window_attention(
    x: Shape, size: Any, heads: int, shift: Any = 0, bias: bool = True, cosine: bool = False, grid: bool | None = None
) -> nn.Module:
    """Swin's, Swin v2's or video Swin's; with `grid` given, true or false, MaxViT's."""
    if grid is not None:
        return Partitioned(x[-1], heads, size, grid)
    kind = ShiftedWindowAttentionV2 if cosine else ShiftedWindowAttention
    kind = ShiftedWindowAttention3d if len(x) == 4 else kind
    sizes, shifts = ([v] * (len(x) - 1) if isinstance(v, int) else v for v in (size, shift))
    module: nn.Module = kind(x[-1], sizes, shifts, heads, qkv_bias=bias)
    return module


def pooled_attention(
    x: Shape, heads: int, size: list[int], width: int | None = None, residual: str = "none",
    positions: bool = False, **pools: list[int],
) -> nn.Module:  # fmt: skip
    """MViT's attention on tokens of a known grid."""
    windows = [pools.get(name, [1, 1, 1]) for name in ("kernel_q", "kernel_kv", "stride_q", "stride_kv")]
    inner = MultiscaleAttention(
        size, x[1], width or x[1], heads, *windows, residual_pool=residual != "none",
        residual_with_cls_embed=residual == "all", rel_pos_embed=positions,
    )  # fmt: skip
    return OnGrid(inner, size)


def recurrent(
    kind: str, x: Shape, units: int, layers: int = 1, last: bool = False, activation: str | None = None, **flags: bool
) -> nn.Module:
    """nn.RNN, nn.LSTM or nn.GRU."""
    others: Options = {"nonlinearity": activation} if activation else {}
    module = getattr(nn, kind.upper())
    return Recurrent(module(x[1], units, layers, batch_first=True, **flags, **others), last)


def reduce(axes: list[int], how: str = "mean", keep: bool = False) -> nn.Module:
    """mean, sum or amax; axes from behind are PyTorch's."""
    dims = [axis if axis < 0 else axis + 1 for axis in axes]
    function = {"mean": torch.mean, "sum": torch.sum, "max": torch.amax}[how]
    return Function(lambda t: function(t, dim=dims, keepdim=keep))


def over_space(x: Shape, how: str, keep: bool = False) -> nn.Module:
    """A global pool."""
    return reduce(list(range(1, len(x))), how, keep)


def resample(x: Shape, mode: str = "nearest", **to: Any) -> nn.Module:
    """nn.Upsample to a size or by a factor."""
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[len(x) - 1]
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in to.items()}
    return nn.Upsample(**given, mode=linear if mode == "bilinear" else mode)


def axis_of(axis: int) -> int:
    """An axis with the batch counted."""
    return axis if axis < 0 else axis + 1


def roll(shift: list[int]) -> nn.Module:
    """torch.roll along the axes in order."""
    return Function(lambda t: torch.roll(t, shift, list(range(1, len(shift) + 1))))


def matmul(transpose: bool = False) -> nn.Module:
    """torch.matmul, the second transposed where wanted."""
    return Function(lambda a, b: a @ (b.transpose(-1, -2) if transpose else b))


def flatten(start: int = 0, end: int = -1) -> nn.Module:
    """nn.Flatten; its axes count the batch."""
    return nn.Flatten(axis_of(start), axis_of(end))


def positions(x: Shape, axis: int = 0, start: int = 0, end: int | None = None, step: int = 1) -> nn.Module:
    """A slice along an axis."""
    where = [slice(None)] * (len(x) + 1)
    where[axis_of(axis)] = slice(start, end, step)
    return Function(lambda t: t[tuple(where)])


def permute(order: list[int]) -> nn.Module:
    """torch.permute behind the batch."""
    return Function(lambda t: t.permute(0, *(axis % len(order) + 1 for axis in order)))


def squeeze(x: Shape, axes: list[int] | None = None) -> nn.Module:
    """torch.squeeze behind the batch."""
    named = [axis for axis, size in enumerate(x) if size == 1] if axes is None else axes
    return Function(lambda t: t.squeeze([axis_of(axis) for axis in named]))


def chunk(parts: int, part: int, axis: int = 0) -> nn.Module:
    """One of torch.chunk's pieces."""
    return Function(lambda t: t.chunk(parts, axis_of(axis))[part])


def total(*xs: Tensor) -> Tensor:
    """The sum of tensors that stretch to each other."""
    y = xs[0]
    for x in xs[1:]:
        y = y + x
    return y


def product(*xs: Tensor) -> Tensor:
    """The product of tensors that stretch to each other."""
    y = xs[0]
    for x in xs[1:]:
        y = y * x
    return y


Builder = Callable[[list[Shape], Options], nn.Module]

PLAIN: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU, "relu6": nn.ReLU6, "elu": nn.ELU, "selu": nn.SELU, "celu": nn.CELU, "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "hardsigmoid": nn.Hardsigmoid, "hardswish": nn.Hardswish,
    "softplus": nn.Softplus, "mish": nn.Mish, "identity": nn.Identity,
}  # fmt: skip
"""Modules whose arguments are the options."""

MODULES: dict[str, Builder] = {
    **{
        kind: lambda xs, o, kind=kind: windowed(kind, xs[0], o)  # type: ignore[misc]
        for kind in ("conv", "conv_transpose", "maxpool", "avgpool", "adaptive_avgpool", "adaptive_maxpool")
    },
    **{kind: lambda xs, o, module=module: module(**o) for kind, module in PLAIN.items()},  # type: ignore[misc]
    **{
        kind: lambda xs, o, kind=kind: recurrent(kind, xs[0], **o)  # type: ignore[misc]
        for kind in ("rnn", "lstm", "gru")
    },
    "depthwise_conv": lambda xs, o: depthwise(xs[0], o),
    "linear": lambda xs, o: nn.Linear(xs[0][-1], o["units"], o.get("bias", True)),
    "embedding": lambda xs, o: nn.Embedding(o["entries"], o["width"]),
    "parameter": lambda xs, o: Joined(**o),
    "multi_head_attention": lambda xs, o: attention(xs, **o),
    "scaled_dot_product_attention": lambda xs, o: dot_product(**o),
    "window_attention": lambda xs, o: window_attention(xs[0], **o),
    "pooled_attention": lambda xs, o: pooled_attention(xs[0], **o),
    "global_avgpool": lambda xs, o: over_space(xs[0], "mean", **o),
    "global_maxpool": lambda xs, o: over_space(xs[0], "max", **o),
    "reduce": lambda xs, o: reduce(**o),
    "batchnorm": lambda xs, o: batch_norm(xs[0], **o),
    "layernorm": lambda xs, o: layer_norm(xs[0], **o),
    "instancenorm": lambda xs, o: getattr(nn, f"InstanceNorm{len(xs[0]) - 1}d")(xs[0][0], **o),
    "groupnorm": lambda xs, o: nn.GroupNorm(o["groups"], xs[0][0], o.get("eps", 1e-5), o.get("affine", True)),
    "lrn": lambda xs, o: nn.LocalResponseNorm(**o),
    "leaky_relu": lambda xs, o: nn.LeakyReLU(o.get("slope", 0.01)),
    "prelu": lambda xs, o: nn.PReLU(o.get("channels", 1)),
    "gelu": lambda xs, o: nn.GELU("tanh" if o.get("form") == "tanh" else "none"),
    "softmax": lambda xs, o: nn.Softmax(axis_of(o.get("axis", -1))),
    "log_softmax": lambda xs, o: nn.LogSoftmax(axis_of(o.get("axis", -1))),
    "dropout": lambda xs, o: nn.Dropout(o.get("rate", 0.5)),
    "stochastic_depth": lambda xs, o: nn.Dropout(o["rate"]),  # both zeroes nothing, or all
    "flatten": lambda xs, o: flatten(**o),
    "reshape": lambda xs, o: nn.Unflatten(1, o["shape"]) if len(xs[0]) == 1 else Function(
        lambda t: t.reshape(-1, *(prod(xs[0]) // -prod(o["shape"]) if s == -1 else s for s in o["shape"]))
    ),
    "permute": lambda xs, o: permute(**o),
    "squeeze": lambda xs, o: squeeze(xs[0], **o),
    "unsqueeze": lambda xs, o: Function(lambda t: t.unsqueeze(axis_of(o["axis"]))),
    "pad": lambda xs, o: padding(xs[0], o),
    "roll": lambda xs, o: roll(**o),
    "channel_shuffle": lambda xs, o: nn.ChannelShuffle(o["groups"]),
    "crop": lambda xs, o: crop(xs[0], o),
    "slice": lambda xs, o: positions(xs[0], **o),
    "split": lambda xs, o: chunk(**o),
    "upsample": lambda xs, o: resample(xs[0], o.get("mode", "nearest"), scale_factor=o["factor"]),
    "interpolate": lambda xs, o: resample(xs[0], **o),
    "pixel_shuffle": lambda xs, o: nn.PixelShuffle(o["factor"]),
    "add": lambda xs, o: Function(total),
    "multiply": lambda xs, o: Function(product),
    "concat": lambda xs, o: Function(lambda *ts: torch.cat(ts, axis_of(o.get("axis", 0)))),
    "matmul": lambda xs, o: matmul(**o),
}  # fmt: skip
