"""The kernels: every kind of layer run forward and backward on arrays, one file a family."""

from netcalc.backend.kernels import convolution, linear
from netcalc.backend.kernels.base import Array, Backward, Context, Gradients, Kernel

KERNELS: dict[str, Kernel] = {
    "conv": convolution.convolution,
    "depthwise_conv": convolution.convolution,
    "conv_transpose": convolution.transposed_convolution,
    "linear": linear.linear,
}
"""The kernel of each kind of layer."""

__all__ = ["KERNELS", "Array", "Backward", "Context", "Gradients", "Kernel"]
