"""Sums and constants a channel, over stored arrays H,C,W,N and F,N, and of the rows of matrices."""

import numpy as np

from netcalc.backend.kernels.base import Array


def by_channel(array: Array) -> Array:
    """A view of a stored array as H, C, positions: vectors are one row of channels."""
    return array.reshape(*array.shape[:2], -1, copy=False) if array.ndim == 4 else array[np.newaxis]


def sums_of_channels(array: Array) -> Array:
    """The sum of each channel; a product with ones is the fastest sum along a row."""
    rows = by_channel(array)
    sums: Array = (rows @ np.ones(rows.shape[2], rows.dtype)).sum(axis=0)
    return sums


def products_of_channels(first: Array, second: Array) -> Array:
    """The sum of first times second of each channel."""
    sums: Array = np.vecdot(by_channel(first), by_channel(second)).sum(axis=0)
    return sums


def add_to_channels(array: Array, constants: Array) -> None:
    """Add a constant to each channel, in place."""
    rows = by_channel(array)
    np.add(rows, constants[:, np.newaxis], out=rows)


def sum_of_rows(matrix: Array, out: Array) -> Array:
    """The sum of the rows; a product with ones is the fastest."""
    return np.matmul(np.ones(len(matrix), matrix.dtype), matrix, out=out)
