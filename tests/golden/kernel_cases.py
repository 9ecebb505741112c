"""The single layers that PyTorch's results are recorded of, those that are listed: all but windowed_cases.py's."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from windowed_cases import Case, windowed


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
        {"heads": 4, "width": 16, "kernel_q": [1, 3, 3], "stride_q": [1, 2, 2], "positions": True},
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
    for both in (False, True):
        options = {"units": 3, "activation": "relu", "bidirectional": both, "layers": 2}
        yield Case("rnn", ((5, 4),), options)


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
    "elu": ({}, {"alpha": 0.4}), "celu": ({}, {"alpha": 0.5}),
    "softplus": ({}, {"threshold": 3.0}, {"beta": 2.0, "threshold": 3.0}),
}  # fmt: skip


def activations() -> Iterator[Case]:
    """Each on numbers around zero, on whole numbers, kinks among them, and on large ones.

    The softmaxes along each axis.
    """
    for kind, every in ACTIVATIONS.items():
        for options, whole in product(every, (False, True)):
            yield Case(kind, ((4, 5, 6),), options, whole=whole)
        yield Case(kind, ((4,),), every[-1], batch=5)
        yield Case(kind, ((4, 5, 6),), every[0], spread=500.0)
    for kind in ("softmax", "log_softmax"):
        yield Case(kind, ((10,),), {})
        yield Case(kind, ((2000,),), {}, spread=60.0)
        for axis in (0, 1, 2, -1, -2, -3):
            yield Case(kind, ((4, 5, 6),), {"axis": axis})
    for kind, rate in product(("dropout", "stochastic_depth"), (0.0, 0.4)):
        yield Case(kind, ((4, 5),), {"rate": rate})
        yield Case(kind, ((4, 5),), {"rate": float(rate > 0)}, training=True)


def reductions() -> Iterator[Case]:
    """Over some axes; the maxima of whole numbers are shared by ties."""
    every = ([0], [-1], [1, 2], [0, -1], [0, 1, 2])
    for axes, how, keep in product(every, ("mean", "sum", "max"), (False, True)):
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


def arithmetic() -> Iterator[Case]:
    """Functions written out, gates, joins of two."""
    for kind in ("sqrt", "log"):
        yield Case(kind, ((4, 5, 6),), {}, positive=True)
        yield Case(kind, ((7,),), {}, positive=True, spread=50.0)
    for kind in ("exp", "absolute"):
        yield Case(kind, ((4, 5, 6),), {})
        yield Case(kind, ((4, 5, 6),), {}, whole=True)
    for exponent in (0.0, 0.5, -1.5, 1.0, 2.0, 3.0):
        yield Case("power", ((4, 5),), {"exponent": exponent}, positive=True)
    for exponent in (0.0, 1.0, 2.0, 3.0):
        yield Case("power", ((4, 5),), {"exponent": exponent}, whole=True)
    for options in ({}, {"factor": -2.5}, {"shift": 3.0}, {"factor": 0.125, "shift": -1.0}):
        yield Case("scale", ((4, 5),), options)
    for inputs in (((4, 5), (4, 5)), ((4, 5, 6), (4, 1, 1)), ((1, 5), (4, 1))):
        yield Case("subtract", inputs, {})
        yield Case("divide", inputs, {}, positive=True)
    for gate, (shape, axis) in product(
        ("sigmoid", "silu", "gelu", "relu", "tanh", "identity"),
        (((8,), -1), ((5, 6), -1), ((4, 3, 5), 0), ((3, 4, 5), 1)),
    ):
        yield Case("glu", (shape,), {"gate": gate, "axis": axis})
    yield Case("glu", ((3, 10),), {})


def decoders() -> Iterator[Case]:
    """Rotary positions, RMS norms, keys and values with fewer heads."""
    for pairs, options in product(
        ("halves", "neighbours"), ({}, {"heads": 2}, {"heads": 4, "base": 500.0}, {"heads": 2, "width": 2})
    ):
        yield Case("rotary", ((6, 8),), {"pairs": pairs, **options})
    yield Case("rotary", ((40, 12),), {"heads": 3})
    for shape, options in (
        ((16,), {}),
        ((4, 6), {"eps": 1e-3}),
        ((4, 6), {"axes": 2}),
        ((3, 4, 6), {"affine": False}),
        ((8, 6), {"channels": True}),
        ((8, 5, 6), {"channels": True, "eps": 1e-5}),
    ):
        yield Case("rmsnorm", (shape,), options)
    for kv_heads, causal, bias in product((1, 2, 4), (False, True), (True, False)):
        options = {"heads": 4, "kv_heads": kv_heads, "causal": causal, "bias": bias}
        yield Case("multi_head_attention", ((5, 8),), options)
    for inputs in (((5, 8), (7, 8)), ((5, 8), (7, 6)), ((5, 8), (7, 6), (7, 4))):
        yield Case("multi_head_attention", inputs, {"heads": 4, "kv_heads": 2})
    for (kv_heads, inputs), causal in product(
        (
            (2, ((5, 8), (5, 4), (5, 4))),
            (1, ((5, 8), (7, 2), (7, 3))),
            (2, ((6, 8), (3, 4), (3, 6))),
            (4, ((5, 8), (5, 8), (5, 4))),
        ),
        (False, True),
    ):
        options = {"heads": 4, "kv_heads": kv_heads, "causal": causal}
        yield Case("scaled_dot_product_attention", inputs, options)


def shiftless() -> Iterator[Case]:
    """Norms with a scale and no shift."""
    for training, options in product((False, True), ({}, {"running": False})):
        yield Case("batchnorm", ((6, 4, 5),), {"bias": False, **options}, batch=3, training=training)
    yield Case("instancenorm", ((3, 4, 5),), {"affine": True, "bias": False})
    yield Case("groupnorm", ((6, 4),), {"groups": 2, "bias": False})


def positions() -> Iterator[Case]:
    """Padding that does not read ahead, grids folded into channels, and sizes between corners."""
    for options in (
        {"kernel": 3},
        {"kernel": 2, "dilation": 4},
        {"kernel": 3, "stride": 2, "groups": 2},
        {"kernel": 4, "padding_mode": "replicate"},
        {"kernel": 1},
    ):
        yield Case("conv", ((4, 11),), {"filters": 6, "pad": "causal", **options})
    yield Case("depthwise_conv", ((4, 11),), {"kernel": 4, "pad": "causal", "dilation": 2})
    for shape, factor in (((2, 6, 4), 2), ((1, 6, 9), 3), ((3, 4, 2), 1)):
        yield Case("pixel_unshuffle", (shape,), {"factor": factor})
    corners = {"align_corners": True}
    for options, (shape, sizes) in product(
        (
            {"mode": "nearest_exact"},
            {"mode": "bilinear", **corners},
            {"mode": "bicubic"},
            {"mode": "bicubic", **corners},
        ),
        (((3, 5), (7, 3, 1)), ((3, 4, 5), (7, [9, 2], [1, 8])), ((2, 3, 2, 4), ([5, 3, 2], [2, 2, 9]))),
    ):
        if options["mode"] == "bicubic" and len(shape) != 3:
            continue
        yield Case("upsample", (shape,), {"factor": 3, **options})
        for size in sizes:
            yield Case("interpolate", (shape,), {"size": size, **options})
    yield Case("interpolate", ((2, 1, 4),), {"size": [3, 6], "mode": "bicubic", **corners})
    yield Case("interpolate", ((2, 1, 4),), {"size": [3, 6], "mode": "bilinear", **corners})


FAMILIES = (
    windowed, dense, attentions, recurrents, norms, activations, reductions, moves, resampled, merges,
    arithmetic, decoders, shiftless, positions,
)  # fmt: skip
