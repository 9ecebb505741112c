"""The interface of kernels: a layer's forward on arrays, which returns its backward too.

    y, backward = kernel(layer, params, xs, context)
    dxs, dparams = backward(dy)

Arrays have the batch in front and then the layer's axes: N,C,H,W. `params` are the layer's arrays by
their own names. `backward` takes the gradient of y and gives those of each input, None for one that
has no gradient, and of the learnable parameters by name, which a frozen layer may leave out. It keeps
what it needs, and nothing else.
No kernel writes into an array that it is given, running statistics in training excepted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from netcalc.layers import Layer

L = TypeVar("L", bound=Layer)
Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Gradients = tuple[tuple[Array | None, ...], dict[str, Array]]
Backward = Callable[[Array], Gradients]
Kernel = Callable[[Any, Arrays, tuple[Array, ...], "Context"], tuple[Array, Backward]]
Mapped = tuple[Array, Callable[[Array], Array]]
"""The result of a function of one tensor: y, and the function from dy to dx."""


@dataclass(frozen=True, slots=True)
class Context:
    """How a layer is run: in training or inference, and where its random numbers come from."""

    training: bool = False
    rng: np.random.Generator | None = None
    """Seeded for the network's seed, the pass and the layer; None where nothing random may happen."""
    frozen: bool = False
    """Whether the layer's parameters and statistics stay as they are: no gradient is wanted for them."""
    wanted: tuple[bool, ...] | None = None
    """For each input whether its gradient is wanted, those of all unless given; None may stand for others."""

    def wants(self, place: int) -> bool:
        """Whether the gradient of an input is wanted."""
        return self.wanted is None or self.wanted[place]


def unary(function: Callable[[L, Array], Mapped]) -> Kernel:
    """The kernel of a layer that reads one tensor, owns none, and does the same in training."""

    @wraps(function)
    def kernel(layer: L, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
        y, backward = function(layer, *xs)
        return y, lambda dy: ((backward(dy),), {})

    return kernel


def widened(x: Array) -> Array:
    """x itself where it is float32 or float64; float16 as float32, token numbers as float64.

    For sums, which float16 could not hold, and for operations in place, which integers do not have.
    """
    return x.astype(np.result_type(x, np.float32), copy=False)


def selected(chosen: Array, values: Array) -> Array:
    """The values where `chosen` is true, and 0 elsewhere.

    A product of their bits: that of floats makes NaN of infinities, and on random numbers `np.where`,
    whose branches a processor cannot foresee, takes seven times as long.
    """
    return (as_bits(values) * chosen).view(values.dtype)


def as_bits(values: Array) -> Array:
    """A view of floats as integers: a product with 0 or 1 leaves any float whole, NaN and infinity too."""
    return values.view(f"i{values.itemsize}")


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which an array of `shape` was stretched to it."""
    if gradient.shape == shape:
        return gradient
    extra = gradient.ndim - len(shape)
    stretched = tuple(axis + extra for axis, size in enumerate(shape) if size != gradient.shape[axis + extra])
    summed: Array = gradient.sum(axis=(*range(extra), *stretched), keepdims=True)
    return summed.reshape(shape)


def per_channel(vector: Array, rank: int) -> Array:
    """A vector of channels, shaped to stretch over N,C and the positions."""
    return vector.reshape(-1, *(1,) * (rank - 2))
