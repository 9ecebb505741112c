"""Which axis of a network's output has the scores of the classes."""

from netcalc.backend.kernels.base import Array
from netcalc.tensor import Shape


def class_axis(rank: int) -> int:
    """The axis of the classes, the batch counted: the last of N,C and N,T,C, 1 of N,C,H,W."""
    return rank - 1 if rank <= 3 else 1


def along(vector: Array, axis: int, rank: int) -> Array:
    """A vector shaped to stretch over the other axes."""
    return vector.reshape([-1 if own == axis else 1 for own in range(rank)])


def class_count(shape: Shape) -> int:
    """How many classes an output of this shape, without its batch, has scores for."""
    return shape[class_axis(len(shape) + 1) - 1] if shape else 1
