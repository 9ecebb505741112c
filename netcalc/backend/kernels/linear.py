"""The fully connected layer."""

from netcalc.backend.kernels.base import Array, Arrays, Backward, Context, Gradients
from netcalc.layers.linear import Linear


def linear(layer: Linear, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """y = x W^T + b;  dx = dy W,  dW = dy^T x,  db = sum of dy, over all positions."""
    (x,) = xs
    weight = params["weight"]
    y = x @ weight.T
    if layer.bias:
        y += params["bias"]

    def backward(dy: Array) -> Gradients:
        rows, dy_rows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
        gradients = {"weight": dy_rows.T @ rows}
        if layer.bias:
            gradients["bias"] = dy_rows.sum(axis=0)
        return (dy @ weight,), gradients

    return y, backward
