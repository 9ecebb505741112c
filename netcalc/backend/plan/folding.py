"""Batch norms as parts of the layer before: in inference both are linear."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from netcalc.backend.kernels.base import Array

Params = Mapping[str, Array]


def folded(weight: Array, bias: Array | None, norm: Any, params: Params) -> tuple[Array, Array]:
    """Weights and bias with the batch norm s x + t behind them: s W and s b + t."""
    scale, shift = scale_and_shift(norm, params)
    wide = scale.reshape(-1, *(1,) * (weight.ndim - 1))
    moved = shift if bias is None else shift + scale * bias
    return (weight * wide).astype(weight.dtype), moved.astype(weight.dtype)


def scale_and_shift(norm: Any, params: Params) -> tuple[Array, Array]:
    """A batch norm in inference as one product and one sum, in double precision."""
    variance = params["running_var"].astype(np.float64)
    scale = 1 / np.sqrt(variance + norm.eps)
    if norm.affine:
        scale = scale * params["weight"]
    shift = -params["running_mean"] * scale
    return scale, shift + params["bias"] if norm.affine else shift
