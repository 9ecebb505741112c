"""Gates: one half of the features lets the other through."""

import numpy as np

from netcalc.backend.kernels import activation
from netcalc.backend.kernels.base import Array, Context, Kernel, Mapped, unary
from netcalc.layers.gating import GATES, GLU
from netcalc.layers.geometry import resolve_axis

_GATES: dict[str, Kernel] = {
    "sigmoid": activation.sigmoid, "silu": activation.silu, "gelu": activation.gelu,
    "relu": activation.relu, "tanh": activation.tanh,
}  # fmt: skip


@unary
def glu(layer: GLU, x: Array) -> Mapped:
    """y = a f(b) with a, b the halves of x;  da = dy f(b),  db = dy a f'(b)."""
    axis = resolve_axis(layer.axis, x.ndim - 1, "axis") + 1
    a, b = np.split(x, 2, axis)
    if layer.gate not in GATES:
        return a * b, lambda dy: np.concatenate((dy * b, dy * a), axis)
    gate = GATES[layer.gate]()

    def backward(dy: Array) -> Array:
        y, gate_backward = _GATES[layer.gate](gate, {}, (b,), Context())
        (db,), _ = gate_backward(dy * a)
        assert db is not None
        return np.concatenate((dy * y, db), axis)

    return a * _GATES[layer.gate](gate, {}, (b,), Context())[0], backward
