"""The fully connected layer."""

from netcalc.backend.kernels.base import Array, Arrays, Backward, Context, Gradients
from netcalc.backend.kernels.parts import affine
from netcalc.layers.linear import Linear


def linear(layer: Linear, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """y = x W^T + b;  dx = dy W,  dW = dy^T x,  db = sum of dy, over all positions."""
    names = ("weight", "bias")[: 1 + layer.bias]
    y, affine_backward = affine(xs[0], *(params[name] for name in names), frozen=context.frozen)

    def backward(dy: Array) -> Gradients:
        dx, gradients = affine_backward(dy)
        return (dx,), dict(zip(names, gradients, strict=not context.frozen))

    return y, backward
