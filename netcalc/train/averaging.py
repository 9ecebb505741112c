"""The exponential moving average of a network's weights."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.train.configurable import Configurable, Fraction
from netcalc.train.optimiser import load_arrays
from netcalc.train.parameters import trained_parameters


class WeightAverage(Configurable):
    """a = decay a + (1 - decay) w after each update, from the weights w as they are at first.

        >>> average = WeightAverage(network, decay=0.999)
        >>> optimiser.step(gradients)
        >>> average.update()
        >>> with average.applied():
        ...     y = network.forward(x)

    As PyTorch's AveragedModel with get_ema_multi_avg_fn (Polyak and Juditsky 1992). Only trained parameters
    are averaged: running statistics and frozen parameters are the network's own.
    """

    name = "ema"

    decay = Fraction(0.999, doc="what the average keeps of itself", torch="decay")

    def __init__(self, network: Network, **given: float) -> None:
        super().__init__(**given)
        self._weights = {parameter.name: parameter.array for parameter in trained_parameters(network)}
        self._averages = {name: array.copy() for name, array in self._weights.items()}
        largest = max((array.size for array in self._weights.values()), default=0)
        self._workspace = np.empty(largest, network.dtype)

    def update(self) -> None:
        """Move the averages towards the weights."""
        for name, average in self._averages.items():
            difference = np.subtract(self._weights[name], average, out=self._like(average))
            difference *= 1 - self.decay
            average += difference

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the network the averages as its weights, and afterwards its own weights again.

        An engine that is made from the network inside is one of the averages; training inside would be lost.
        """
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def state(self) -> dict[str, Array]:
        """The averages by the names of their parameters: its own arrays, not copies."""
        return dict(self._averages)

    def load_state(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Take what `state` gave. Raises ValueError, with nothing changed, where it does not fit."""
        load_arrays(self._averages, state, "the average of the weights")

    def _exchange(self) -> None:
        for name, average in self._averages.items():
            weights, kept = self._weights[name], self._like(average)
            kept[...] = weights
            weights[...] = average
            average[...] = kept

    def _like(self, array: Array) -> Array:
        """The workspace in the shape of an array."""
        return self._workspace[: array.size].reshape(array.shape)
