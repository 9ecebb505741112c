"""Special functions that NumPy lacks."""

import numpy as np

from netcalc.backend.kernels.base import Array

_TILE = 1 << 15
"""Elements worked on at a time, so that the many steps of a polynomial stay in the cache."""

_SMALL = 0.46875
_LARGEST = 6.0
"""Where erf is 1 in float64."""
_NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)  # fmt: skip
_FAR = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip


def erf(x: Array) -> Array:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, element by element.

    By the rational approximations of Cody 1969, "Rational Chebyshev approximations for the error
    function": x P(x^2) near 0, 1 - exp(-x^2) P(|x|) beyond. float16 is worked out in float32.
    """
    flat = x.reshape(-1)
    y = np.empty(x.shape, x.dtype)
    out = y.reshape(-1)
    for start in range(0, flat.size, _TILE):
        tile = slice(start, start + _TILE)
        out[tile] = _erf(flat[tile].astype(np.result_type(x, np.float32), copy=False))
    return y


def _erf(x: Array) -> Array:
    size = np.minimum(np.abs(x), _LARGEST)
    square = size * size
    near = x * _rational(_NEAR, square)
    far = np.copysign(1 - np.exp(-square) * _rational(_FAR, size), x)
    return np.where(size <= _SMALL, near, far)


def _rational(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    """The quotient of two polynomials, given by their coefficients from the highest power down."""
    above, below = (_polynomial(own, x) for own in coefficients)
    above /= below
    return above


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value


def logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)), elementwise. The exponential may overflow, to what gives 0."""
    y: Array = 1 / (1 + np.exp(-x))
    return y
