"""What each layer means, without arrays: options, shape rule, parameters, cost, window."""

from netcalc.layers import (
    activation,
    attention,
    convolution,
    embedding,
    linear,
    merge,
    normalisation,
    pooling,
    regularisation,
    resampling,
    shape,
    window_attention,
)
from netcalc.layers.base import Cost, Layer, ParamSpec
from netcalc.layers.errors import LayerError
from netcalc.layers.geometry import Window

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
        window_attention.WindowAttention,
        pooling.MaxPool,
        pooling.AvgPool,
        pooling.AdaptiveAvgPool,
        pooling.AdaptiveMaxPool,
        pooling.GlobalAvgPool,
        pooling.GlobalMaxPool,
        normalisation.BatchNorm,
        normalisation.LayerNorm,
        normalisation.InstanceNorm,
        normalisation.GroupNorm,
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
        regularisation.Dropout,
        shape.Identity,
        shape.Flatten,
        shape.Reshape,
        shape.Permute,
        shape.Squeeze,
        shape.Unsqueeze,
        shape.Pad,
        shape.Crop,
        shape.Slice,
        shape.ChannelShuffle,
        resampling.Upsample,
        resampling.PixelShuffle,
        merge.Add,
        merge.Multiply,
        merge.Concat,
    )
}
"""Every kind of layer, in the order of the reference."""

__all__ = ["LAYERS", "Cost", "Layer", "LayerError", "ParamSpec", "Window"]
