"""What each layer means, without arrays: options, shape rule, parameters, cost, window."""

from netcalc.layers import (
    activation,
    arithmetic,
    attention,
    convolution,
    cutting,
    embedding,
    gating,
    linear,
    merge,
    normalisation,
    pooled_attention,
    pooling,
    recurrent,
    reduction,
    regularisation,
    resampling,
    rotary,
    shape,
    window_attention,
)
from netcalc.layers.base import Cost, Layer, ParamSpec
from netcalc.layers.errors import LayerError
from netcalc.layers.geometry import Window
from netcalc.layers.kept import Kept, View

LAYERS: dict[str, type[Layer]] = {
    layer.kind: layer
    for layer in (
        convolution.Conv,
        convolution.DepthwiseConv,
        convolution.ConvTranspose,
        linear.Linear,
        embedding.Embedding,
        embedding.Parameter,
        attention.MultiHeadAttention,
        attention.ScaledDotProductAttention,
        rotary.Rotary,
        window_attention.WindowAttention,
        pooled_attention.PooledAttention,
        recurrent.RNN,
        recurrent.LSTM,
        recurrent.GRU,
        pooling.MaxPool,
        pooling.AvgPool,
        pooling.AdaptiveAvgPool,
        pooling.AdaptiveMaxPool,
        pooling.GlobalAvgPool,
        pooling.GlobalMaxPool,
        reduction.Reduce,
        normalisation.BatchNorm,
        normalisation.LayerNorm,
        normalisation.InstanceNorm,
        normalisation.GroupNorm,
        normalisation.RMSNorm,
        normalisation.LRN,
        activation.ReLU,
        activation.ReLU6,
        activation.LeakyReLU,
        activation.PReLU,
        activation.ELU,
        activation.SELU,
        activation.CELU,
        activation.GELU,
        activation.SiLU,
        activation.Sigmoid,
        activation.Tanh,
        activation.HardSigmoid,
        activation.HardSwish,
        activation.Softplus,
        activation.Mish,
        activation.Softmax,
        activation.LogSoftmax,
        gating.GLU,
        arithmetic.Scale,
        arithmetic.Power,
        arithmetic.Sqrt,
        arithmetic.Exp,
        arithmetic.Log,
        arithmetic.Absolute,
        regularisation.Dropout,
        regularisation.StochasticDepth,
        shape.Identity,
        shape.Flatten,
        shape.Reshape,
        shape.Permute,
        shape.Squeeze,
        shape.Unsqueeze,
        shape.Pad,
        shape.Roll,
        shape.ChannelShuffle,
        cutting.Crop,
        cutting.Slice,
        cutting.Split,
        resampling.Upsample,
        resampling.Interpolate,
        resampling.PixelShuffle,
        resampling.PixelUnshuffle,
        merge.Add,
        merge.Subtract,
        merge.Multiply,
        merge.Divide,
        merge.Concat,
        merge.MatMul,
    )
}
"""Every kind of layer, in the order of the reference."""


def kinds_by_name() -> dict[str, str]:
    """Every name that a layer goes by, other frameworks' among them, with its kind."""
    return {name: layer.kind for layer in LAYERS.values() for name in (layer.kind, *layer.also)}


__all__ = [
    "LAYERS", "Cost", "Kept", "Layer", "LayerError", "ParamSpec", "View", "Window", "kinds_by_name",
]  # fmt: skip
