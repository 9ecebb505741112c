"""The initial values of a network's arrays, by the rules that the layers name or by a scheme of the spec."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from math import prod, sqrt
from typing import NamedTuple

import numpy as np

from netcalc.backend.blas import single_blas_thread
from netcalc.backend.fans import Matrix
from netcalc.backend.kernels.base import Array
from netcalc.backend.precision import ElementType
from netcalc.layers import ParamSpec
from netcalc.layers.initialisation import NUMBERED, Scheme, role
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


_UNIFORM = ("uniform", "xavier", "he_uniform", "lecun_uniform")
"""The schemes that draw uniform numbers: those within sqrt(3) standard deviations."""


def deviation(scheme: Scheme, fan_in: float, fan_out: float, gain: float) -> float:
    """The standard deviation of the weights that a scheme draws."""
    match scheme.name:
        case "normal":
            return scheme.number
        case "uniform":
            return scheme.number / sqrt(3)
        case "xavier" | "xavier_normal":
            return sqrt(2 / (fan_in + fan_out))
        case "he" | "he_uniform":
            return gain / sqrt(fan_in)
        case "lecun" | "lecun_uniform":
            return 1 / sqrt(fan_in)
    raise ValueError(f"{scheme.name} has no deviation")


def orthogonal(rng: np.random.Generator, shape: Shape, dtype: np.dtype[np.floating]) -> Array:
    """Orthonormal rows, or columns where there are more rows, as torch.nn.init.orthogonal_.

    Axes after the first are one. With these signs all rotations are equally likely (Mezzadri 2007).
    """
    rows, columns = shape[0], prod(shape[1:])
    drawn = rng.standard_normal((max(rows, columns), min(rows, columns))).astype(dtype, copy=False)
    with single_blas_thread():  # LAPACK's steps are small: threads that wait for each other take longer
        q, r = np.linalg.qr(drawn)
    q *= np.where(np.diagonal(r) < 0, -1, 1).astype(q.dtype)
    return (q if rows >= columns else q.T).reshape(shape)


def draw_weight(
    array: Array, scheme: Scheme, matrices: Sequence[Matrix], gain: float, rng: np.random.Generator
) -> None:
    """Fill a weight by a scheme, matrix by matrix, each from the fans of its own."""
    first = 0
    for rows, fan_in, fan_out in matrices:
        part = array[first : first + rows]
        first += rows
        if scheme.name in ("orthogonal", "lsuv"):
            wide = np.result_type(array, np.float32)
            part[...] = gain * orthogonal(rng, part.shape, wide)
        else:
            spread(part, scheme, deviation(scheme, fan_in, fan_out, gain), rng)


def spread(array: Array, scheme: Scheme, std: float, rng: np.random.Generator) -> None:
    """Fill an array with numbers of a scheme, a few rows at a time: float64 takes twice the room."""
    step = max(1, _ROWS_ELEMENTS // prod(array.shape[1:]))
    for first in range(0, len(array), step):
        rows = array[first : first + step]
        if scheme.name in _UNIFORM:
            rows[...] = rng.uniform(-sqrt(3) * std, sqrt(3) * std, rows.shape)
        else:
            rows[...] = std * rng.standard_normal(rows.shape)


class Drawing(NamedTuple):
    """How a layer begins: a scheme, the matrices of each of its weights, and the gain."""

    scheme: Scheme
    matrices: Mapping[str, Sequence[Matrix]]
    gain: float


def initialised(
    specs: Sequence[ParamSpec],
    owner: str,
    seed: int,
    precision: ElementType,
    drawing: Drawing | None = None,
) -> dict[str, Array]:
    """The arrays of one layer by their own names: by the rules that it names, or by a scheme.

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
        if drawing is None or not _draw_by(drawing, array, spec, rng):
            _draw(array, spec.initialiser, rng, fan_in)
        arrays[spec.name] = precision.rounded(array)
    return arrays


def _draw_by(drawing: Drawing, array: Array, spec: ParamSpec, rng: np.random.Generator) -> bool:
    """Fill an array by a scheme; False where the scheme has no say in it."""
    scheme, what = drawing.scheme, role(spec)
    if scheme.name == "pytorch" or what == "buffer":
        return False
    if scheme.name == "zeros" or what == "bias":
        array[...] = 0
    elif what == "weight":
        draw_weight(array, scheme, drawing.matrices[spec.name], drawing.gain, rng)
    elif what == "table" and scheme.name in NUMBERED:
        spread(array, scheme, deviation(scheme, 1, 1, 1), rng)
    else:
        return False
    return True


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
