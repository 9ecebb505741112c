"""Layers without parameters, by PyTorch's functions: each takes the inputs, the batch in front, and netcalc's options."""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import torch
from make_shapes import sides
from torch import Tensor
from torch.nn import functional


def dim(axis: int) -> int:
    """An axis as PyTorch counts it, with the batch."""
    return axis if axis < 0 else axis + 1


def per_axis(value: Any, axes: int) -> list[Any]:
    """One value for each axis."""
    return value if isinstance(value, list) else [value] * axes


def reduce(x: Tensor, axes: list[int], how: str = "mean", keep: bool = False) -> Tensor:
    function = {"mean": torch.mean, "sum": torch.sum, "max": torch.amax}[how]
    return function(x, dim=list(map(dim, axes)), keepdim=keep)


def over_space(x: Tensor, how: str, keep: bool = False) -> Tensor:
    y: Tensor = getattr(functional, f"adaptive_{how}_pool{x.dim() - 2}d")(x, 1)
    return y if keep else y.flatten(1)


def attention(*xs: Tensor, heads: int = 1, kv_heads: int | None = None, causal: bool = False) -> Tensor:
    parts = (heads, kv_heads or heads, kv_heads or heads)
    q, k, v = (x.unflatten(-1, (n, -1)).transpose(1, 2) for x, n in zip(xs, parts, strict=True))
    y = functional.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=kv_heads is not None)
    return y.transpose(1, 2).flatten(2)


def rotary(
    x: Tensor, heads: int = 1, base: float = 10000.0, pairs: str = "halves", width: int | None = None
) -> Tensor:
    """By rotate_half, as in Hugging Face's Llama, or by complex numbers, as in Meta's."""
    split = x.unflatten(-1, (heads, -1))
    turned, rest = split.split([width or split.shape[-1], split.shape[-1] - (width or split.shape[-1])], -1)
    size = turned.shape[-1]
    rates = base ** (-torch.arange(0, size, 2, dtype=x.dtype) / size)
    angles = torch.outer(torch.arange(x.shape[1], dtype=x.dtype), rates)
    if pairs == "halves":
        cos, sin = (torch.cat((part, part), -1)[:, None] for part in (angles.cos(), angles.sin()))
        first, second = turned.chunk(2, -1)
        turned = turned * cos + torch.cat((-second, first), -1) * sin
    else:
        numbers = torch.view_as_complex(turned.unflatten(-1, (-1, 2)).contiguous())
        turned = torch.view_as_real(numbers * torch.polar(torch.ones_like(angles), angles)[:, None]).flatten(
            -2
        )
    return torch.cat((turned, rest), -1).flatten(2)


def glu(x: Tensor, gate: str = "sigmoid", axis: int = -1) -> Tensor:
    if gate == "sigmoid":
        return functional.glu(x, dim(axis))
    a, b = x.chunk(2, dim(axis))
    return a * (b if gate == "identity" else getattr(functional, gate)(b))


def pad(x: Tensor, pad: Any, mode: str = "zeros", value: float = 0.0) -> Tensor:
    cells = sides(per_axis(pad, x.dim() - 2))
    if mode == "zeros":
        return functional.pad(x, cells, value=value)
    return functional.pad(x, cells, mode)


def crop(x: Tensor, crop: Any = 0, size: Any = None) -> Tensor:
    cut = per_axis(crop, x.dim() - 2)
    if size is not None:
        rests = [own - left for own, left in zip(x.shape[2:], per_axis(size, x.dim() - 2), strict=True)]
        cut = [[rest // 2, rest - rest // 2] for rest in rests]
    return functional.pad(x, [-cells for cells in sides(cut)])


def reshape(x: Tensor, shape: list[int]) -> Tensor:
    left = x[0].numel() // abs(prod(shape))  # of sizes one of which may be -1
    return x.reshape(x.shape[0], *(left if size == -1 else size for size in shape))


def squeeze(x: Tensor, axes: list[int] | None = None) -> Tensor:
    ones = [axis for axis, size in enumerate(x.shape[1:]) if size == 1]
    return x.squeeze([dim(axis) for axis in (ones if axes is None else axes)])


def cut(x: Tensor, axis: int = 0, start: int = 0, end: int | None = None, step: int = 1) -> Tensor:
    where = [slice(None)] * x.dim()
    where[dim(axis)] = slice(start, end, step)
    return x[tuple(where)]


def resample(
    x: Tensor, mode: str = "nearest", size: Any = None, factor: Any = None, align_corners: bool | None = None
) -> Tensor:
    linear = ("linear", "bilinear", "trilinear")[x.dim() - 3]
    factors = None if factor is None else list(map(float, per_axis(factor, x.dim() - 2)))
    names = {"bilinear": linear, "nearest_exact": "nearest-exact"}
    return functional.interpolate(x, size, factors, names.get(mode, mode), align_corners)


def total(*xs: Tensor) -> Tensor:
    first, *others = xs
    return first + total(*others) if others else first


def product(*xs: Tensor) -> Tensor:
    first, *others = xs
    return first * product(*others) if others else first


PLAIN = (
    "relu", "relu6", "elu", "selu", "celu", "silu", "sigmoid", "tanh", "hardswish", "softplus", "mish",
)  # fmt: skip
"""Kinds that PyTorch calls so too, options and all."""

FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    **{kind: getattr(functional, kind) for kind in PLAIN},
    "hardsigmoid": lambda x: functional.relu6(x + 3) / 6,  # its own has a float32 sixth in the gradient
    "leaky_relu": lambda x, slope=0.01: functional.leaky_relu(x, slope),
    "gelu": lambda x, form="none": functional.gelu(x, approximate=form),
    "softmax": lambda x, axis=-1: functional.softmax(x, dim(axis)),
    "log_softmax": lambda x, axis=-1: functional.log_softmax(x, dim(axis)),
    "scaled_dot_product_attention": attention,
    "rotary": rotary,
    "glu": glu,
    "scale": lambda x, factor=1.0, shift=0.0: x * factor + shift,
    "power": torch.pow,
    **{kind: getattr(torch, kind) for kind in ("sqrt", "exp", "log", "absolute")},
    "global_avgpool": partial(over_space, how="avg"),
    "global_maxpool": partial(over_space, how="max"),
    "reduce": reduce,
    "lrn": functional.local_response_norm,
    "identity": lambda x: x.clone(),
    "flatten": lambda x, start=0, end=-1: x.flatten(dim(start), dim(end)),
    "reshape": reshape,
    "permute": lambda x, order: x.permute(0, *(axis % len(order) + 1 for axis in order)),
    "squeeze": squeeze,
    "unsqueeze": lambda x, axis: x.unsqueeze(dim(axis)),
    "pad": pad,
    "roll": lambda x, shift: x.roll(shift, list(range(1, len(shift) + 1))),
    "channel_shuffle": lambda x, groups: functional.channel_shuffle(x, groups),
    "crop": crop,
    "slice": cut,
    "split": lambda x, parts, part, axis=0: x.chunk(parts, dim(axis))[part],
    "upsample": resample,
    "interpolate": resample,
    "pixel_shuffle": lambda x, factor: functional.pixel_shuffle(x, factor),
    "pixel_unshuffle": lambda x, factor: functional.pixel_unshuffle(x, factor),
    "add": total,
    "subtract": torch.sub,
    "multiply": product,
    "divide": torch.div,
    "concat": lambda *xs, axis=0: torch.cat(xs, dim(axis)),
    "matmul": lambda a, b, transpose=False: a @ (b.transpose(-1, -2) if transpose else b),
}
