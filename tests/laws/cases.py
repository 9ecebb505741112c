"""The cases that the laws run over: every layer's own example, and the ones beside it."""

import re
from typing import Any, NamedTuple

import yaml

from netcalc.layers import LAYERS, Layer
from netcalc.tensor import Shape, TensorType

EXAMPLE = re.compile(r"Example: `(?P<item>.+)` on (?P<inputs>[\dx, ]+) gives (?P<output>[\dx]+)")


class Case(NamedTuple):
    """A layer, what it reads, and what it must give where that is known."""

    kind: str
    options: dict[str, Any]
    inputs: tuple[Shape, ...]
    output: Shape | None = None

    @property
    def types(self) -> tuple[TensorType, ...]:
        return tuple(map(TensorType, self.inputs))

    @property
    def layer(self) -> Layer:
        return LAYERS[self.kind](self.types, **self.options)

    def __str__(self) -> str:
        inputs = "+".join("x".join(map(str, shape)) for shape in self.inputs)
        return f"{self.kind}-{'-'.join(map(str, self.options.values()))}-{inputs}".replace(" ", "")


def shape(text: str) -> Shape:
    return tuple(map(int, text.strip().split("x")))


def frozen(value: Any) -> Any:
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def example(layer: type[Layer]) -> Case:
    """The example in a layer's docstring."""
    match = EXAMPLE.search(layer.__doc__ or "")
    assert match, f"{layer.kind} has no example"
    item = yaml.safe_load(match["item"])
    kind, options = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    if not isinstance(options, dict):  # the main option alone
        options = {layer.main: options}
    options = {name: frozen(value) for name, value in options.items() if name != "from"}
    inputs = tuple(map(shape, match["inputs"].split(",")))
    return Case(kind, options, inputs, shape(match["output"]))


MORE = (
    Case("conv", {"filters": 6, "kernel": 3}, ((4, 9),), (6, 7)),
    Case("conv", {"filters": 6, "kernel": (3, 2, 1), "stride": (1, 2, 1)}, ((4, 9, 8, 7),), (6, 7, 4, 7)),
    Case("conv", {"filters": 6, "kernel": 4, "pad": "same", "dilation": 2}, ((4, 9, 8),), (6, 9, 8)),
    Case("conv", {"filters": 6, "kernel": 3, "pad": "same", "stride": 2}, ((4, 9, 8),), (6, 5, 4)),
    Case("conv", {"filters": 6, "kernel": 3, "pad": ((0, 1), (2, 0)), "groups": 2}, ((4, 9, 8),), (6, 8, 8)),
    Case("conv", {"filters": 6, "kernel": 3, "pad": (1, 0), "bias": False}, ((4, 9, 8),), (6, 9, 6)),
    Case("depthwise_conv", {"kernel": 3, "multiplier": 2, "stride": 2}, ((4, 9, 9),), (8, 4, 4)),
    Case(
        "conv_transpose",
        {"filters": 6, "kernel": 3, "stride": 2, "output_pad": 1, "groups": 2},
        ((4, 5),),
        (6, 12),
    ),
    Case("linear", {"units": 5, "bias": False}, ((7, 3, 4),), (7, 3, 5)),
    Case("embedding", {"entries": 10, "width": 4}, ((3, 5),), (3, 5, 4)),
    Case("parameter", {"shape": (7, 4)}, ((7, 4),), (7, 4)),
    Case("parameter", {"shape": (1, 4)}, ((3, 7, 4),), (3, 7, 4)),
    Case("parameter", {"shape": (4, 1, 1), "join": "multiply"}, ((4, 5, 6),), (4, 5, 6)),
    Case("parameter", {"shape": (4, 2), "join": "prepend", "axis": -1}, ((4, 5),), (4, 7)),
    Case("parameter", {"shape": (5,), "join": "multiply"}, ((4, 5),), (4, 5)),
    Case("multi_head_attention", {"heads": 2, "bias": False, "causal": True}, ((5, 8),), (5, 8)),
    Case("multi_head_attention", {"heads": 2}, ((5, 8), (7, 8)), (5, 8)),
    Case("multi_head_attention", {"heads": 2}, ((5, 8), (7, 6)), (5, 8)),
    Case("multi_head_attention", {"heads": 2}, ((5, 8), (7, 6), (7, 4)), (5, 8)),
    Case(
        "scaled_dot_product_attention",
        {"heads": 2, "causal": True},
        ((5, 8), (7, 8), (7, 6)),
        (5, 6),
    ),
    Case("window_attention", {"size": (2, 4), "heads": 2, "bias": False}, ((5, 7, 4),), (5, 7, 4)),
    Case("window_attention", {"size": 4, "heads": 2, "grid": True}, ((8, 12, 4),), (8, 12, 4)),
    Case("window_attention", {"size": 4, "heads": 2, "shift": 2, "cosine": True}, ((3, 9, 4),), (3, 9, 4)),
    Case("window_attention", {"size": 3, "heads": 1, "cosine": True, "bias": False}, ((4, 3, 4),), (4, 3, 4)),
    Case("window_attention", {"size": 2, "heads": 2, "shift": 1, "scale": "input"}, ((4, 6, 4),), (4, 6, 4)),
    Case(
        "window_attention",
        {"size": (8, 2, 3), "heads": 2, "shift": (4, 0, 1)},
        ((3, 5, 7, 4),),
        (3, 5, 7, 4),
    ),
    Case(
        "pooled_attention",
        {
            "heads": 2,
            "size": (2, 5, 6),
            "width": 8,
            "kernel_q": (3, 3, 3),
            "stride_q": (1, 2, 2),
            "kernel_kv": (3, 3, 3),
            "positions": True,
            "residual": "patches",
        },
        ((61, 4),),
        (19, 8),
    ),
    Case(
        "pooled_attention",
        {
            "heads": 1,
            "size": (2, 5, 6),
            "kernel_kv": (1, 3, 3),
            "stride_kv": (1, 4, 4),
            "positions": True,
            "residual": "all",
            "eps": 1e-3,
        },
        ((61, 6),),
        (61, 6),
    ),
    Case("rnn", {"units": 3, "layers": 2, "activation": "relu"}, ((5, 4),), (5, 3)),
    Case("lstm", {"units": 3, "layers": 2, "bidirectional": True, "bias": False}, ((5, 4),), (5, 6)),
    Case("lstm", {"units": 3, "bidirectional": True, "last": True}, ((5, 4),), (6,)),
    Case("gru", {"units": 3, "layers": 3, "last": True}, ((5, 4),), (3,)),
    Case("reduce", {"axes": (-1, 0), "how": "max"}, ((4, 5, 6),), (5,)),
    Case("reduce", {"axes": (0,), "how": "sum", "keep": True}, ((4, 5, 6),), (1, 5, 6)),
    Case("reduce", {"axes": (1, -1)}, ((4, 5, 6),), (4,)),
    Case("maxpool", {"kernel": 3, "ceil": True, "dilation": 2, "pad": 1}, ((4, 10, 9),), (4, 4, 3)),
    Case("maxpool", {"kernel": (2, 1, 3), "stride": (1, 2, 3)}, ((2, 4, 5, 6),), (2, 3, 3, 2)),
    Case(
        "avgpool", {"kernel": (2, 3), "stride": (2, 1), "count_include_pad": False}, ((4, 10, 9),), (4, 5, 7)
    ),
    Case(
        "avgpool", {"kernel": 3, "stride": 2, "pad": ((1, 0), (1, 1)), "ceil": True}, ((4, 9, 8),), (4, 5, 5)
    ),
    Case(
        "avgpool",
        {"kernel": 2, "stride": 3, "pad": 1, "ceil": True, "count_include_pad": False},
        ((4, 3, 5, 7),),
        (4, 2, 2, 3),
    ),
    Case(
        "avgpool", {"kernel": 3, "stride": 2, "pad": 1, "count_include_pad": False}, ((4, 9, 8),), (4, 5, 4)
    ),
    Case("conv", {"filters": 6, "kernel": 3, "pad": 2, "dilation": (2, 1)}, ((4, 9, 8),), (6, 9, 10)),
    Case("conv", {"filters": 6, "kernel": (1, 2), "stride": (1, 2)}, ((5, 9, 8),), (6, 9, 4)),
    Case("flatten", {}, ((6,),), (6,)),
    Case("adaptive_avgpool", {}, ((4, 10, 9),), (4, 1, 1)),
    Case("adaptive_maxpool", {"size": 20}, ((4, 10),), (4, 20)),
    Case("adaptive_maxpool", {"size": (3, 4)}, ((4, 7, 9),), (4, 3, 4)),
    Case("global_avgpool", {"keep": True}, ((4, 10),), (4, 1)),
    Case("batchnorm", {"affine": False}, ((12,),), (12,)),
    Case("batchnorm", {"running": False}, ((12, 5),), (12, 5)),
    Case("layernorm", {"axes": 3}, ((4, 5, 6),), (4, 5, 6)),
    Case("layernorm", {"channels": True, "bias": False}, ((4, 5, 6),), (4, 5, 6)),
    Case("instancenorm", {"affine": True}, ((4, 5),), (4, 5)),
    Case("instancenorm", {}, ((4, 5, 3),), (4, 5, 3)),
    Case("groupnorm", {"groups": 2, "affine": False}, ((4, 5),), (4, 5)),
    Case("lrn", {"size": 4, "alpha": 0.5, "k": 2.0}, ((7, 3, 5),), (7, 3, 5)),
    Case("lrn", {"size": 9, "beta": 1.5}, ((3, 5),), (3, 5)),
    Case("relu6", {}, ((4, 5),), (4, 5)),
    Case("elu", {"alpha": -0.5}, ((4, 5),), (4, 5)),
    Case("celu", {"alpha": 0.5}, ((4, 5),), (4, 5)),
    Case("silu", {}, ((4, 5),), (4, 5)),
    Case("softplus", {"beta": 3.0, "threshold": 2.0}, ((4, 5),), (4, 5)),
    Case("prelu", {}, ((4, 5),), (4, 5)),
    Case("gelu", {"form": "tanh"}, ((4, 5),), (4, 5)),
    Case("gelu", {}, ((4, 5),), (4, 5)),
    Case("softmax", {"axis": 0}, ((4, 5, 5),), (4, 5, 5)),
    Case("flatten", {"start": 1}, ((4, 5, 6),), (4, 30)),
    Case("flatten", {"end": 1}, ((4, 5, 6),), (20, 6)),
    Case("reshape", {"shape": (2, 3, -1)}, ((4, 6),), (2, 3, 4)),
    Case("permute", {"order": (-1, 0)}, ((4, 6),), (6, 4)),
    Case("permute", {"order": (1, 2, 0)}, ((4, 5, 6),), (5, 6, 4)),
    Case("squeeze", {"axes": (1,)}, ((1, 1, 6),), (1, 6)),
    Case("unsqueeze", {"axis": -1}, ((4, 6),), (4, 6, 1)),
    Case("pad", {"pad": 2, "mode": "circular"}, ((4, 6),), (4, 10)),
    Case("pad", {"pad": ((1, 2), (3, 0)), "mode": "reflect"}, ((2, 4, 5),), (2, 7, 8)),
    Case("pad", {"pad": (1, 3), "mode": "replicate"}, ((2, 4, 5),), (2, 6, 11)),
    Case("pad", {"pad": 1, "value": 2.5}, ((2, 3, 4, 5),), (2, 5, 6, 7)),
    Case("crop", {"crop": ((1, 2), (0, 3))}, ((4, 9, 9),), (4, 6, 6)),
    Case("crop", {"size": (4, 6)}, ((4, 9, 9),), (4, 4, 6)),
    Case("slice", {"axis": -1, "start": -4, "step": 2}, ((4, 9),), (4, 2)),
    Case("slice", {"start": 1, "end": 100}, ((4, 9),), (3, 9)),
    Case("upsample", {"factor": (2, 3), "mode": "bilinear"}, ((4, 5, 5),), (4, 10, 15)),
    Case("upsample", {"factor": 3}, ((4, 5),), (4, 15)),
    Case("upsample", {"factor": (2, 1, 3), "mode": "bilinear"}, ((2, 3, 4, 2),), (2, 6, 4, 6)),
    Case("interpolate", {"size": (7, 3), "mode": "bilinear"}, ((4, 5, 5),), (4, 7, 3)),
    Case("interpolate", {"size": 10}, ((4, 5),), (4, 10)),
    Case("interpolate", {"size": (3, 7)}, ((4, 8, 5),), (4, 3, 7)),
    Case("roll", {"shift": (0, 1)}, ((4, 5),), (4, 5)),
    Case("roll", {"shift": (-1,)}, ((4, 5),), (4, 5)),
    Case("channel_shuffle", {"groups": 2}, ((6, 5),), (6, 5)),
    Case("split", {"parts": 2, "part": 0}, ((4, 5),), (2, 5)),
    Case("split", {"parts": 2, "part": 1, "axis": -1}, ((4, 6),), (4, 3)),
    Case("matmul", {}, ((3, 4, 5), (1, 5, 6)), (3, 4, 6)),
    Case("stochastic_depth", {"rate": 0}, ((4, 5),), (4, 5)),
    Case("stochastic_depth", {"rate": 0.5}, ((4, 5),), (4, 5)),
    Case("dropout", {"rate": 0.3, "channels": True}, ((8, 5, 5),), (8, 5, 5)),
    Case("dropout", {"rate": 1}, ((4, 5),), (4, 5)),
    Case("add", {}, ((4, 5), (4, 1), (1, 5)), (4, 5)),
    Case("multiply", {}, ((4, 5), (4, 5)), (4, 5)),
    Case("multiply", {}, ((4, 5), (4, 1), (4, 5)), (4, 5)),
    Case("concat", {"axis": 1}, ((4, 5), (4, 2), (4, 3)), (4, 10)),
    Case("subtract", {}, ((4, 5), (4, 1)), (4, 5)),
    Case("subtract", {}, ((1, 5), (4, 1)), (4, 5)),
    Case("divide", {}, ((1, 5), (4, 1)), (4, 5)),
    Case("divide", {}, ((4, 5), (4, 5)), (4, 5)),
    Case("scale", {"factor": -2.5, "shift": 0.5}, ((4, 5),), (4, 5)),
    Case("scale", {"shift": 3}, ((4, 5),), (4, 5)),
    Case("power", {"exponent": -1.5}, ((4, 5),), (4, 5)),
    Case("power", {"exponent": 0}, ((4, 5),), (4, 5)),
    *(Case("glu", {"gate": gate}, ((4, 6),), (4, 3)) for gate in ("sigmoid", "gelu", "relu", "tanh")),
    Case("glu", {"gate": "identity", "axis": 0}, ((4, 6, 3),), (2, 6, 3)),
    Case("rotary", {"heads": 2, "pairs": "neighbours", "base": 500.0}, ((5, 8),), (5, 8)),
    Case("rotary", {"width": 4}, ((5, 6),), (5, 6)),
    Case("multi_head_attention", {"heads": 4, "kv_heads": 2, "causal": True}, ((5, 8),), (5, 8)),
    Case("multi_head_attention", {"heads": 4, "kv_heads": 1, "bias": False}, ((5, 8), (7, 6)), (5, 8)),
    Case(
        "scaled_dot_product_attention",
        {"heads": 4, "kv_heads": 2, "causal": True},
        ((5, 8), (5, 4), (5, 4)),
        (5, 8),
    ),
    Case("scaled_dot_product_attention", {"heads": 4, "kv_heads": 1}, ((5, 8), (7, 2), (7, 3)), (5, 12)),
    Case("batchnorm", {"bias": False}, ((4, 5),), (4, 5)),
    Case("batchnorm", {"bias": False, "running": False}, ((4, 5),), (4, 5)),
    Case("instancenorm", {"affine": True, "bias": False}, ((4, 5),), (4, 5)),
    Case("groupnorm", {"groups": 2, "bias": False}, ((4, 5),), (4, 5)),
    Case("rmsnorm", {"axes": 2}, ((3, 4, 5),), (3, 4, 5)),
    Case("rmsnorm", {"channels": True, "affine": False, "eps": 1e-3}, ((3, 4, 5),), (3, 4, 5)),
    Case("conv", {"filters": 6, "kernel": 3, "dilation": 4, "pad": "causal"}, ((4, 9),), (6, 9)),
    Case(
        "conv",
        {"filters": 6, "kernel": 2, "stride": 2, "pad": "causal", "padding_mode": "replicate"},
        ((4, 9),),
        (6, 5),
    ),
    Case("depthwise_conv", {"kernel": 4, "pad": "causal"}, ((4, 9),), (4, 9)),
    Case("upsample", {"factor": (2, 3), "mode": "bilinear", "align_corners": True}, ((4, 5, 1),), (4, 10, 3)),
    Case("upsample", {"factor": (2, 3), "mode": "bicubic"}, ((4, 5, 4),), (4, 10, 12)),
    Case(
        "interpolate",
        {"size": (7, 1), "mode": "bicubic", "align_corners": True},
        ((4, 5, 3),),
        (4, 7, 1),
    ),
    Case("interpolate", {"size": (7, 3), "mode": "nearest_exact"}, ((4, 5, 8),), (4, 7, 3)),
    Case("pixel_unshuffle", {"factor": 3}, ((2, 6, 3),), (18, 2, 1)),
)

POSITIVE = ("sqrt", "log", "power", "divide")
"""Kinds that are read with numbers above 0: below, or near it, they have no slope to be checked."""

CASES = (*map(example, LAYERS.values()), *MORE)
