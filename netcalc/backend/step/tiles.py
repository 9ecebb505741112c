"""Tensors in tiles, so that an operation of many passes reads and writes the processor's cache.

A sequence T,D is stored as N,T,D: its rows are all positions of a worker's samples.
"""

from netcalc.backend.kernels.base import Array
from netcalc.tensor import Shape

TILE = 1 << 15
"""Elements of a tile: a few such arrays are less than 1 MiB in float32."""


def has_rows(shape: Shape) -> bool:
    """Whether the last axis of samples of a shape is innermost in memory."""
    return len(shape) == 2 or len(shape) > 3


def rows(array: Array) -> Array:
    """A view of a stored array as a matrix, a row for each position."""
    return array.reshape(-1, array.shape[-1], copy=False)


def tiles(*arrays: Array) -> list[tuple[Array, ...]]:
    """The same tiles of arrays of one shape: parts of them all, or their rows where these lie apart."""
    if all(array.flags.c_contiguous for array in arrays):
        arrays = tuple(array.reshape(-1, copy=False) for array in arrays)
    return row_tiles(*arrays)


def row_tiles(*arrays: Array) -> list[tuple[Array, ...]]:
    """The same rows of arrays, so many that the first array's are a tile."""
    count = len(arrays[0])
    step = max(1, TILE // max(1, arrays[0].size // max(1, count)))
    return [tuple(array[start : start + step] for array in arrays) for start in range(0, count, step)]
