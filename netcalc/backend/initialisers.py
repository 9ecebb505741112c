"""The initial values of a network's arrays, by the rules that the layers name."""

import zlib
from collections.abc import Callable, Sequence
from math import prod, sqrt

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.precision import ElementType
from netcalc.layers import ParamSpec
from netcalc.tensor import Shape

Initialiser = Callable[[np.random.Generator, Shape, int], Array]

_TRUNCATED_STD = 0.02
_TRUNCATED_AT = 2.0
_ROW_BY_ROW = ("fan_in_uniform", "normal")
_ROWS_ELEMENTS = 2**22


def fan_in_uniform(rng: np.random.Generator, shape: Shape, fan_in: int) -> Array:
    """Uniform within 1 / sqrt(fan_in), PyTorch's own for linear layers and convolutions."""
    bound = 1 / sqrt(fan_in)
    return rng.uniform(-bound, bound, shape)


def xavier_uniform(rng: np.random.Generator, shape: Shape, fan_in: int) -> Array:
    """Uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""
    bound = sqrt(6 / (shape[0] + shape[1]) / prod(shape[2:]))
    return rng.uniform(-bound, bound, shape)


def normal(rng: np.random.Generator, shape: Shape, fan_in: int) -> Array:
    """Normal with mean 0 and standard deviation 1."""
    return rng.standard_normal(shape)


def truncated_normal(rng: np.random.Generator, shape: Shape, fan_in: int) -> Array:
    """Normal with standard deviation 0.02, drawn again where beyond two of them (Vaswani et al. 2017 on)."""
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > _TRUNCATED_AT).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return values * _TRUNCATED_STD


def zeros(rng: np.random.Generator, shape: Shape, fan_in: int) -> Array:
    """All 0."""
    return np.zeros(shape)


def ones(rng: np.random.Generator, shape: Shape, fan_in: int) -> Array:
    """All 1."""
    return np.ones(shape)


INITIALISERS: dict[str, Initialiser] = {
    rule.__name__: rule for rule in (fan_in_uniform, xavier_uniform, normal, truncated_normal, zeros, ones)
}


def initialised(
    specs: Sequence[ParamSpec], owner: str, seed: int, precision: ElementType
) -> dict[str, Array]:
    """The arrays of one layer by their own names.

    Each is drawn from the seed and its full name alone, so that a layer keeps its values when another
    is added. A bias has the fan-in of the weight before it.
    """
    arrays = {}
    fan_in = 1
    for spec in specs:
        if len(spec.shape) > 1:
            fan_in = prod(spec.shape[1:])
        rng = np.random.default_rng([seed, zlib.crc32(f"{owner}.{spec.name}".encode())])
        array = np.empty(spec.shape, precision.stored)
        _draw(array, spec.initialiser, rng, fan_in)
        arrays[spec.name] = precision.rounded(array)
    return arrays


def _draw(array: Array, initialiser: str, rng: np.random.Generator, fan_in: int) -> None:
    """Fill an array, a few rows at a time where that draws the same numbers: float64 takes twice the room."""
    rule, _, number = initialiser.partition(":")
    if rule == "constant":
        array[...] = float(number)
    elif rule == "uniform":
        array[...] = rng.uniform(-float(number), float(number), array.shape)
    elif rule in _ROW_BY_ROW and array.ndim > 1:
        step = max(1, _ROWS_ELEMENTS // prod(array.shape[1:]))
        for first in range(0, len(array), step):
            rows = array[first : first + step]
            rows[...] = INITIALISERS[rule](rng, rows.shape, fan_in)
    else:
        array[...] = INITIALISERS[rule](rng, array.shape, fan_in)
