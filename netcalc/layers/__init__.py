"""What each layer means, without arrays: options, shape rule, parameters, cost, window."""

from functools import cache

from netcalc.layers.base import Cost, Layer, ParamSpec
from netcalc.layers.errors import LayerError
from netcalc.layers.geometry import Window
from netcalc.layers.registry import Registry
from netcalc.layers.saved import Saved, View

LAYERS = Registry(
    {
        "conv": "convolution.Conv",
        "depthwise_conv": "convolution.DepthwiseConv",
        "conv_transpose": "convolution.ConvTranspose",
        "linear": "linear.Linear",
        "embedding": "embedding.Embedding",
        "parameter": "embedding.Parameter",
        "rotary": "rotary.Rotary",
        "multi_head_attention": "multi_head_attention.MultiHeadAttention",
        "scaled_dot_product_attention": "attention.ScaledDotProductAttention",
        "window_attention": "window_attention.WindowAttention",
        "pooled_attention": "pooled_attention.PooledAttention",
        "rnn": "recurrent.RNN",
        "lstm": "recurrent.LSTM",
        "gru": "recurrent.GRU",
        "maxpool": "pooling.MaxPool",
        "avgpool": "pooling.AvgPool",
        "adaptive_avgpool": "pooling.AdaptiveAvgPool",
        "adaptive_maxpool": "pooling.AdaptiveMaxPool",
        "global_avgpool": "pooling.GlobalAvgPool",
        "global_maxpool": "pooling.GlobalMaxPool",
        "reduce": "reduction.Reduce",
        "batchnorm": "normalisation.BatchNorm",
        "layernorm": "normalisation.LayerNorm",
        "instancenorm": "normalisation.InstanceNorm",
        "groupnorm": "normalisation.GroupNorm",
        "rmsnorm": "normalisation.RMSNorm",
        "lrn": "local_response.LRN",
        "relu": "activation.ReLU",
        "relu6": "activation.ReLU6",
        "leaky_relu": "activation.LeakyReLU",
        "prelu": "activation.PReLU",
        "elu": "activation.ELU",
        "selu": "activation.SELU",
        "celu": "activation.CELU",
        "gelu": "activation.GELU",
        "silu": "activation.SiLU",
        "sigmoid": "activation.Sigmoid",
        "tanh": "activation.Tanh",
        "hardsigmoid": "activation.HardSigmoid",
        "hardswish": "activation.HardSwish",
        "softplus": "activation.Softplus",
        "mish": "activation.Mish",
        "softmax": "softmax.Softmax",
        "log_softmax": "softmax.LogSoftmax",
        "glu": "gating.GLU",
        "scale": "arithmetic.Scale",
        "power": "arithmetic.Power",
        "sqrt": "arithmetic.Sqrt",
        "exp": "arithmetic.Exp",
        "log": "arithmetic.Log",
        "absolute": "arithmetic.Absolute",
        "dropout": "regularisation.Dropout",
        "stochastic_depth": "regularisation.StochasticDepth",
        "identity": "shape.Identity",
        "flatten": "shape.Flatten",
        "reshape": "shape.Reshape",
        "permute": "shape.Permute",
        "squeeze": "shape.Squeeze",
        "unsqueeze": "shape.Unsqueeze",
        "pad": "padding.Pad",
        "roll": "shape.Roll",
        "channel_shuffle": "shape.ChannelShuffle",
        "crop": "cutting.Crop",
        "slice": "cutting.Slice",
        "split": "cutting.Split",
        "upsample": "resampling.Upsample",
        "interpolate": "resampling.Interpolate",
        "pixel_shuffle": "resampling.PixelShuffle",
        "pixel_unshuffle": "resampling.PixelUnshuffle",
        "add": "merge.Add",
        "subtract": "merge.Subtract",
        "multiply": "merge.Multiply",
        "divide": "merge.Divide",
        "concat": "merge.Concat",
        "matmul": "merge.MatMul",
    }
)
"""Every kind of layer with the module and the name of its class, in the order of the reference."""


@cache
def kinds_by_name() -> dict[str, str]:
    """Every name that a layer goes by, other frameworks' among them, with its kind."""
    return {name: layer.kind for layer in LAYERS.values() for name in (layer.kind, *layer.also)}


__all__ = [
    "LAYERS",
    "Cost",
    "Layer",
    "LayerError",
    "ParamSpec",
    "Saved",
    "View",
    "Window",
    "kinds_by_name",
]  # fmt: skip
