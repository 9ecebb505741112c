"""The kernels: every kind of layer run forward and backward on arrays, one file a family."""

from netcalc.backend.kernels import (
    attention,
    convolution,
    embedding,
    linear,
    pooled_attention,
    recurrent,
    window_attention,
)
from netcalc.backend.kernels.base import Array, Backward, Context, Gradients, Kernel

KERNELS: dict[str, Kernel] = {
    "conv": convolution.convolution,
    "depthwise_conv": convolution.convolution,
    "conv_transpose": convolution.transposed_convolution,
    "linear": linear.linear,
    "embedding": embedding.embedding,
    "parameter": embedding.parameter,
    "scaled_dot_product_attention": attention.scaled_dot_product_attention,
    "multi_head_attention": attention.multi_head_attention,
    "window_attention": window_attention.window_attention,
    "pooled_attention": pooled_attention.pooled_attention,
    "rnn": recurrent.rnn,
    "lstm": recurrent.lstm,
    "gru": recurrent.gru,
}
"""The kernel of each kind of layer."""

__all__ = ["KERNELS", "Array", "Backward", "Context", "Gradients", "Kernel"]
