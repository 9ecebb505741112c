"""Stored numbers as numbers to compute with."""

import numpy as np
import numpy.typing as npt

from netcalc.backend.kernels.base import Array


def as_numbers(x: Array, dtype: npt.DTypeLike = np.float32) -> Array:
    """Bytes, which are pixels, as numbers from 0 to 1; floats in that type; other whole numbers as they are.

    The result may be written to.
    """
    if x.dtype == np.uint8:
        return np.divide(x, 255, dtype=np.dtype(dtype))
    return x.astype(dtype) if x.dtype.kind in "fb" else x
