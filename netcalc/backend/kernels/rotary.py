"""Rotary positions: pairs of features turned by angles that grow with the position."""

import numpy as np

from netcalc.backend.kernels.base import Array, Mapped, unary
from netcalc.layers.rotary import Rotary
from netcalc.tensor import TensorType


@unary
def rotary(layer: Rotary, x: Array) -> Mapped:
    """(p, q) to (p cos a - q sin a, q cos a + p sin a);  its gradient is turned back, by -a."""
    positions, width = x.shape[1], layer.turned(TensorType(x.shape[1:]))
    angles = np.arange(positions)[:, np.newaxis] * layer.base ** (-np.arange(0, width, 2) / width)
    cos, sin = (f(angles)[:, np.newaxis].astype(x.dtype) for f in (np.cos, np.sin))  # T,1,pairs

    def turned(x: Array, sin: Array) -> Array:
        heads = x.reshape(*x.shape[:2], layer.heads, -1)
        y = heads.copy()
        (p, q), (turned_p, turned_q) = (_pairs(layer, part[..., :width]) for part in (heads, y))
        turned_p[...] = p * cos - q * sin
        turned_q[...] = q * cos + p * sin
        return y.reshape(x.shape)

    return turned(x, sin), lambda dy: turned(dy, -sin)


def _pairs(layer: Rotary, x: Array) -> tuple[Array, Array]:
    """The first and the second features of all pairs, as views."""
    if layer.pairs == "halves":
        half = x.shape[-1] // 2
        return x[..., :half], x[..., half:]
    return x[..., ::2], x[..., 1::2]
