"""The single layers that PyTorch's results are recorded of: options in netcalc's words, shapes without the batch.

Convolutions, pools and paddings are seeded samples of full products of option values, as in
make_shapes.py; the other kinds are listed.
"""

import json
import random
from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, NamedTuple

from make_shapes import (
    ADAPTIVE,
    CEIL,
    CHANNELS,
    COUNTED,
    CROPPED,
    DILATIONS,
    FEW,
    GROUPS,
    KERNELS,
    NARROW,
    PADS,
    SIDES,
    SMALL,
    STRIDES,
    TIGHT,
    WINDOWS,
    Block,
    Values,
    output_shape,
    settings,
)

Shape = tuple[int, ...]

MOST_NUMBERS = 3000  # in an input of one sample and in an output


class Case(NamedTuple):
    """A layer, what it reads, and how it is run. `whole` is for inputs that hold whole numbers, on kinks and ties."""

    kind: str
    inputs: tuple[Shape, ...]
    options: dict[str, Any]
    batch: int = 2
    training: bool = False
    whole: bool = False

    @property
    def text(self) -> str:
        """What its numbers are drawn by, and how it stands in the recording."""
        fields = {name: value for name, value in self._asdict().items() if value != self._field_defaults.get(name)}
        return json.dumps(fields, separators=(",", ":"))


BIAS: Values = {"bias": (True, False)}
UNEVEN: Values = {"pad": tuple(product(range(3), repeat=2))}
MODES: Values = {"padding_mode": tuple(PADS)}
BLOCKS = (
    Block("conv", 120, {**WINDOWS, **DILATIONS}, {**FEW, **BIAS}),
    Block("conv", 40, SMALL, {**GROUPS, **BIAS}),
    Block("conv", 40, {**KERNELS, **STRIDES, **DILATIONS, "in": range(4, 10), "pad": range(1, 4)}, {**FEW, **MODES}),
    Block("conv", 30, {**KERNELS, **DILATIONS, "in": range(5, 18)}, {**FEW, **MODES, "pad": ("same",)}),
    Block("conv", 30, {**SMALL, **UNEVEN}, {**FEW, **MODES}),
    Block("conv_transpose", 40, {**WINDOWS, **DILATIONS}, {**FEW, **BIAS}),
    Block("conv_transpose", 20, {**CROPPED, **DILATIONS}, FEW),
    Block("conv_transpose", 40, {**WINDOWS, **DILATIONS, "output_pad": range(4)}, {**FEW, **BIAS}),
    Block("conv_transpose", 25, SMALL, {**GROUPS, **BIAS}),
    Block("conv_transpose", 10, {**SMALL, **UNEVEN}, FEW),
    Block("maxpool", 40, {**WINDOWS, **DILATIONS}, CEIL),
    Block("maxpool", 20, WINDOWS, CEIL),
    Block("maxpool", 20, {**TIGHT, **DILATIONS}, CEIL),
    Block("avgpool", 50, WINDOWS, COUNTED),
    Block("avgpool", 20, TIGHT, COUNTED),
    Block("adaptive_avgpool", 20, {**ADAPTIVE, "size": (1, 2, 3, 4, 5, 7, 9, 20)}, CHANNELS),
    Block("adaptive_maxpool", 20, {**ADAPTIVE, "size": (1, 2, 3, 4, 5, 7, 9, 20)}, CHANNELS),
    Block("pad", 20, NARROW, {**CHANNELS, "mode": tuple(PADS)}),
    Block("pad", 20, SIDES, {**CHANNELS, "mode": tuple(PADS)}),
)
TIES = (("maxpool", WINDOWS, CEIL), ("adaptive_maxpool", {**ADAPTIVE, "size": (1, 2, 3, 4, 5, 7)}, CHANNELS))


def sampled(block: Block, seed: str, whole: bool = False) -> Iterator[Case]:
    """Cases of a block, each small, each once, and none that PyTorch refuses."""
    found: set[str] = set()
    for shape, options in settings(random.Random(seed), block):
        if len(found) == block.count:
            return
        plain = {name: value for name, value in options.items() if not (block.kind[:4] == "conv" and _uneven(name, value))}
        y = output_shape(block.kind, shape, plain)
        case = Case(block.kind, (tuple(shape),), options, whole=whole)
        if y is None or 0 in y or max(prod(shape), prod(y)) > MOST_NUMBERS or case.text in found:
            continue
        found.add(case.text)
        yield case


def _uneven(name: str, value: Any) -> bool:
    return name == "pad" and isinstance(value, list) and isinstance(value[0], list)


def windowed() -> Iterator[Case]:
    """Convolutions, pools, paddings; pools of whole numbers have ties."""
    for index, block in enumerate(BLOCKS):
        yield from sampled(block, f"{block.kind} {index}")
    for kind, axis, layer in TIES:
        yield from sampled(Block(kind, 8, axis, layer), f"ties of {kind}", whole=True)
    for shape, kernel in (((3, 9), 3), ((3, 9, 8), 4), ((2, 7, 6, 5), [3, 2, 1])):
        yield Case("conv", (shape,), {"filters": 4, "kernel": kernel, "pad": "same", "stride": 2})
    kernels: tuple[Any, ...] = (1, 3, 5, [2, 3])
    for kernel, stride, multiplier in product(kernels, (1, 2), (1, 2)):
        yield Case("depthwise_conv", ((4, 9, 10),), {"kernel": kernel, "stride": stride, "multiplier": multiplier, "pad": 1})
    for shape, options in (
        ((4, 9), {"kernel": 3, "pad": "same", "dilation": 2}),
        ((3, 5, 6, 7), {"kernel": 3, "pad": 1, "bias": False}),
        ((4, 9, 9), {"kernel": 7, "pad": 3}),
        ((1, 9, 9), {"kernel": 3, "multiplier": 3}),
        ((4, 9, 8), {"kernel": 3, "pad": [[0, 1], [2, 0]], "padding_mode": "replicate"}),
        ((4, 9, 8), {"kernel": 3, "pad": 2, "padding_mode": "circular", "multiplier": 2}),
        ((4, 9, 8), {"kernel": 3, "pad": 2, "padding_mode": "reflect", "dilation": [1, 2]}),
    ):
        yield Case("depthwise_conv", (shape,), options)
    for kind in ("global_avgpool", "global_maxpool"):
        for shape, keep in (((3, 5), False), ((3, 5, 4), True), ((3, 5, 4), False), ((2, 3, 4, 5), True)):
            yield Case(kind, (shape,), {"keep": keep})
    yield Case("pad", ((3, 5, 6),), {"pad": [[1, 2], [0, 3]], "value": -1.5})
    yield Case("pad", ((3, 5),), {"pad": 2, "value": 7.0})


def dense() -> Iterator[Case]:
    """Linear layers, embeddings with tokens that come twice, bare parameters."""
    for shape, bias in product(((7,), (3, 7), (3, 4, 7), (2, 3, 2, 5)), (True, False)):
        yield Case("linear", (shape,), {"units": 5, "bias": bias})
    yield Case("linear", ((120,),), {"units": 84}, batch=7)
    for shape in ((9,), (4, 5), (1,), (2, 3, 2)):
        yield Case("embedding", (shape,), {"entries": 6, "width": 3})
    for shape, options in (
        ((7, 4), {"shape": [7, 4]}),
        ((3, 7, 4), {"shape": [1, 4]}),
        ((3, 7, 4), {"shape": [4]}),
        ((3, 7, 4), {"shape": [7, 1], "join": "multiply"}),
        ((4, 5, 6), {"shape": [4, 1, 1], "join": "multiply"}),
        ((4, 5), {"shape": [1, 5], "join": "prepend"}),
        ((4, 5), {"shape": [4, 2], "join": "prepend", "axis": -1}),
        ((4, 5, 3), {"shape": [4, 2, 3], "join": "prepend", "axis": 1}),
    ):
        yield Case("parameter", (shape,), options)


def attentions() -> Iterator[Case]:
    """Self and cross attention, in windows, shifted, across grids, of pooled tokens."""
    for heads, bias, causal in product((1, 2, 4), (True, False), (True, False)):
        options = {"heads": heads, "bias": bias, "causal": causal}
        yield Case("multi_head_attention", ((5, 8),), options)
    for inputs in (((5, 8), (7, 8)), ((5, 8), (7, 6)), ((5, 8), (7, 6), (7, 4)), ((5, 8), (3, 8), (3, 8))):
        yield Case("multi_head_attention", inputs, {"heads": 2})
    yield Case("multi_head_attention", ((5, 8), (7, 6), (7, 4)), {"heads": 2, "bias": False, "causal": True})
    yield Case("multi_head_attention", ((16, 24),), {"heads": 3})
    for inputs, heads, causal in product(
        (((5, 8), (5, 8), (5, 8)), ((5, 8), (7, 8), (7, 4)), ((6, 4), (3, 4), (3, 8))), (1, 2), (True, False)
    ):
        yield Case("scaled_dot_product_attention", inputs, {"heads": heads, "causal": causal})
    for shape, options in (
        ((8, 8, 6), {"size": 4, "heads": 3}),
        ((8, 8, 6), {"size": 4, "heads": 3, "shift": 2}),
        ((8, 12, 4), {"size": 4, "heads": 2, "shift": [1, 3]}),
        ((9, 10, 4), {"size": [4, 3], "heads": 2, "bias": False}),
        ((9, 10, 4), {"size": [4, 3], "heads": 2, "shift": [2, 1]}),
        ((3, 9, 4), {"size": 4, "heads": 2, "shift": 2}),
        ((3, 3, 4), {"size": 4, "heads": 1, "shift": 2}),
        ((4, 9, 4), {"size": 4, "heads": 2, "shift": 2}),
        ((8, 8, 4), {"size": 4, "heads": 2, "cosine": True}),
        ((8, 8, 4), {"size": 4, "heads": 2, "cosine": True, "shift": 2}),
        ((9, 5, 4), {"size": [4, 8], "heads": 1, "shift": [2, 4], "cosine": True, "bias": False}),
        ((5, 7, 4), {"size": 3, "heads": 2, "shift": 1, "cosine": True}),
        ((4, 6, 6, 4), {"size": [2, 3, 3], "heads": 2}),
        ((4, 6, 6, 4), {"size": [2, 3, 3], "heads": 2, "shift": [1, 1, 1]}),
        ((4, 5, 7, 4), {"size": [8, 3, 3], "heads": 2, "shift": [4, 1, 1]}),
        ((3, 5, 7, 4), {"size": [2, 4, 3], "heads": 1, "shift": [1, 2, 1], "bias": False}),
        ((8, 8, 4), {"size": 4, "heads": 2, "grid": False}),
        ((6, 6, 4), {"size": 3, "heads": 2, "grid": True}),
        ((8, 8, 6), {"size": 2, "heads": 3, "grid": True}),
        ((12, 12, 4), {"size": 4, "heads": 1, "grid": True}),
    ):
        yield Case("window_attention", (shape,), options)
    yield from pooled()


def pooled() -> Iterator[Case]:
    """MViT's attention: pooled or not, positions stretched or not."""
    threes = [3, 3, 3]
    for options in (
        {"heads": 2},
        {"heads": 1, "width": 4, "kernel_kv": threes, "stride_kv": [1, 2, 2], "residual": "all"},
        {"heads": 2, "width": 16, "kernel_q": threes, "stride_q": [1, 2, 2], "kernel_kv": threes},
        {"heads": 2, "kernel_q": threes, "stride_kv": [1, 4, 4], "positions": True, "residual": "patches"},
        {"heads": 4, "kernel_q": [1, 3, 3], "stride_q": [1, 2, 2], "positions": True},
        {"heads": 2, "kernel_q": threes, "kernel_kv": threes, "stride_kv": [1, 2, 2], "residual": "all"},
        {"heads": 1, "positions": True, "residual": "patches"},
        {
            "heads": 1, "kernel_q": threes, "stride_q": [1, 2, 2], "kernel_kv": threes, "stride_kv": [1, 4, 4],
            "positions": True, "residual": "patches",
        },
    ):  # fmt: skip
        yield Case("pooled_attention", ((61, 8),), {"size": [2, 6, 5], **options})


def recurrents() -> Iterator[Case]:
    """Stacks of one to three layers, both directions, final states."""
    for kind in ("rnn", "lstm", "gru"):
        for layers, bidirectional, last in product((1, 2, 3), (False, True), (False, True)):
            options = {"units": 3, "layers": layers, "bidirectional": bidirectional, "last": last}
            yield Case(kind, ((5, 4),), options)
        yield Case(kind, ((6, 4),), {"units": 5, "bias": False})
        yield Case(kind, ((1, 4),), {"units": 5, "bidirectional": True, "last": True})
        yield Case(kind, ((20, 8),), {"units": 6, "layers": 2}, batch=3)
    for bidirectional in (False, True):
        yield Case("rnn", ((5, 4),), {"units": 3, "activation": "relu", "bidirectional": bidirectional, "layers": 2})


def norms() -> Iterator[Case]:
    """In training and inference; statistics over few values would be ill conditioned, so batches are larger."""
    for shape, training in product(((6,), (6, 5), (6, 4, 5), (3, 3, 4, 5)), (False, True)):
        for options in ({}, {"affine": False}, {"running": False}, {"momentum": 0.3, "eps": 1e-3}):
            yield Case("batchnorm", (shape,), options, batch=8 if len(shape) == 1 else 3, training=training)
    for shape, options in (
        ((16,), {}),
        ((4, 6), {}),
        ((4, 6), {"axes": 2}),
        ((3, 4, 6), {"axes": 2, "bias": False}),
        ((4, 5, 6), {"axes": 3, "affine": False}),
        ((4, 6), {"affine": False, "eps": 1e-3}),
        ((8, 6), {"channels": True}),
        ((8, 5, 6), {"channels": True, "eps": 1e-6}),
        ((8, 3, 4, 2), {"channels": True, "bias": False}),
    ):
        yield Case("layernorm", (shape,), options)
    for shape, options in product(((3, 8), (3, 4, 5), (2, 3, 4, 5)), ({}, {"affine": True}, {"eps": 1e-3})):
        yield Case("instancenorm", (shape,), options)
    for shape, options in (
        ((12,), {"groups": 2}),
        ((6, 5), {"groups": 3}),
        ((6, 4, 5), {"groups": 1}),
        ((6, 4, 5), {"groups": 2, "affine": False}),
        ((6, 4, 5), {"groups": 6, "eps": 1e-3}),
        ((4, 3, 4, 5), {"groups": 2}),
    ):
        yield Case("groupnorm", (shape,), options)
    for shape, size in product(((7, 5), (7, 4, 5), (3, 3, 4, 5)), (1, 2, 3, 5)):
        yield Case("lrn", (shape,), {"size": size, "alpha": 0.5, "beta": 0.6, "k": 2.0})
    yield Case("lrn", ((8, 4, 4),), {"size": 5})


ACTIVATIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "relu": ({},), "relu6": ({},), "silu": ({},), "sigmoid": ({},), "tanh": ({},), "selu": ({},), "mish": ({},),
    "hardsigmoid": ({},), "hardswish": ({},), "gelu": ({}, {"form": "tanh"}),
    "leaky_relu": ({}, {"slope": 0.3}), "prelu": ({}, {"channels": 4}),
    "elu": ({}, {"alpha": 0.4}), "celu": ({}, {"alpha": 0.4}),
    "softplus": ({}, {"beta": 2.0, "threshold": 3.0}),
}  # fmt: skip


def activations() -> Iterator[Case]:
    """Each on numbers around zero and on whole numbers, kinks among them; the softmaxes along each axis."""
    for kind, every in ACTIVATIONS.items():
        for options, whole in product(every, (False, True)):
            yield Case(kind, ((4, 5, 6),), options, whole=whole)
        yield Case(kind, ((4,),), every[-1], batch=5)
    for kind in ("softmax", "log_softmax"):
        yield Case(kind, ((10,),), {})
        for axis in (0, 1, 2, -1, -2, -3):
            yield Case(kind, ((4, 5, 6),), {"axis": axis})
    for kind, rate in product(("dropout", "stochastic_depth"), (0.0, 0.4)):
        yield Case(kind, ((4, 5),), {"rate": rate})
        yield Case(kind, ((4, 5),), {"rate": float(rate > 0)}, training=True)


def reductions() -> Iterator[Case]:
    """Over some axes; the maxima of whole numbers are shared by ties."""
    for axes, how, keep in product(([0], [-1], [1, 2], [0, -1], [0, 1, 2]), ("mean", "sum", "max"), (False, True)):
        yield Case("reduce", ((4, 5, 6),), {"axes": axes, "how": how, "keep": keep})
    yield Case("reduce", ((4, 5, 6),), {"axes": [1, 2], "how": "max"}, whole=True)
    yield Case("global_maxpool", ((4, 5, 6),), {}, whole=True)


def moves() -> Iterator[Case]:
    """Layers that only move, cut or copy elements."""
    for kind, shape, options in (
        ("identity", (4, 5), {}),
        ("flatten", (4, 5, 6), {}),
        ("flatten", (4, 5, 6), {"start": 1}),
        ("flatten", (4, 5, 6), {"end": 1}),
        ("flatten", (4, 5, 6), {"start": -2, "end": -1}),
        ("reshape", (4, 6), {"shape": [2, 3, -1]}),
        ("reshape", (24,), {"shape": [2, 3, 4]}),
        ("reshape", (4, 3, 2), {"shape": [24]}),
        ("permute", (4, 6), {"order": [-1, 0]}),
        ("permute", (4, 5, 6), {"order": [1, 2, 0]}),
        ("permute", (4, 5, 6), {"order": [2, 0, 1]}),
        ("permute", (2, 3, 4, 5), {"order": [0, 2, 1, 3]}),
        ("squeeze", (1, 4, 1), {}),
        ("squeeze", (1, 1, 6), {"axes": [1]}),
        ("squeeze", (4, 1, 1), {"axes": [-1, -2]}),
        ("unsqueeze", (4, 6), {"axis": 0}),
        ("unsqueeze", (4, 6), {"axis": -1}),
        ("roll", (4, 5, 3), {"shift": [0, 2]}),
        ("roll", (4, 5, 3), {"shift": [-1]}),
        ("roll", (4, 5, 3), {"shift": [3, -7, 1]}),
        ("channel_shuffle", (6, 5), {"groups": 2}),
        ("channel_shuffle", (6, 3, 4), {"groups": 3}),
        ("channel_shuffle", (8, 3, 4), {"groups": 8}),
        ("crop", (3, 9, 8), {"crop": 2}),
        ("crop", (3, 9, 8), {"crop": [[1, 2], [0, 3]]}),
        ("crop", (3, 9, 8), {"size": [4, 5]}),
        ("crop", (3, 9), {"size": 4}),
        ("crop", (2, 5, 6, 7), {"crop": [1, 2, 0]}),
        ("slice", (6, 9), {"axis": -1, "start": -4, "step": 2}),
        ("slice", (6, 9), {"start": 1, "end": 100}),
        ("slice", (6, 9), {"axis": 1, "end": -3, "step": 3}),
        ("slice", (6, 9), {"end": 1}),
        ("split", (4, 6), {"parts": 2, "part": 0}),
        ("split", (4, 6), {"parts": 3, "part": 1, "axis": 1}),
        ("split", (4, 6), {"parts": 3, "part": 2, "axis": -1}),
        ("pixel_shuffle", (8, 3, 4), {"factor": 2}),
        ("pixel_shuffle", (18, 3, 2), {"factor": 3}),
        ("pixel_shuffle", (3, 3, 2), {"factor": 1}),
    ):
        yield Case(kind, (shape,), options)


def resampled() -> Iterator[Case]:
    """By whole factors and to sizes that are none, in one to three dimensions."""
    for mode, (shape, factor, sizes) in product(
        ("nearest", "bilinear"),
        (
            ((3, 5), (2, 3), (7, 3, 5, 1, 12)),
            ((3, 4, 5), (2, [1, 3]), (7, [3, 4], [9, 2], [8, 10], [1, 1])),
            ((2, 3, 2, 4), (2, [1, 2, 3]), ([5, 3, 2], [2, 2, 9])),
        ),
    ):
        for by in factor:
            yield Case("upsample", (shape,), {"factor": by, "mode": mode})
        for size in sizes:
            yield Case("interpolate", (shape,), {"size": size, "mode": mode})


def merges() -> Iterator[Case]:
    """Two or more inputs, some stretched."""
    for kind in ("add", "multiply"):
        for inputs in (
            ((4, 5), (4, 5)),
            ((4, 5, 6), (4, 1, 1)),
            ((1, 5), (4, 1)),
            ((4, 5), (4, 1), (1, 5)),
            ((3,), (3,), (3,), (1,)),
        ):
            yield Case(kind, inputs, {})
    yield Case("concat", ((4, 5), (2, 5)), {})
    yield Case("concat", ((4, 5, 2), (4, 1, 2), (4, 3, 2)), {"axis": 1})
    yield Case("concat", ((4, 5, 2), (4, 5, 3)), {"axis": -1})
    yield Case("matmul", ((4, 5), (5, 3)), {})
    yield Case("matmul", ((4, 5), (3, 5)), {"transpose": True})
    yield Case("matmul", ((3, 4, 5), (1, 5, 6)), {})
    yield Case("matmul", ((1, 4, 5), (3, 6, 5)), {"transpose": True})
    yield Case("matmul", ((2, 3, 4, 5), (2, 1, 5, 2)), {})


FAMILIES = (
    windowed, dense, attentions, recurrents, norms, activations, reductions, moves, resampled, merges,
)  # fmt: skip
