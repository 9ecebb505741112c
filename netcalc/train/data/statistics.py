"""The mean and the deviation of each channel, computed once and kept beside the weights.

The samples stream through in parts, whose sums are in float64 and are joined as Chan, Golub and LeVeque do
("Updating formulae and a pairwise algorithm for computing sample variances", 1979). All numbers are taken
relative to the first of their channel, so that the deviation of equal numbers is exactly 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.train.data.dataset import DataSet
from netcalc.train.data.scaling import as_numbers

_PART_BYTES = 2**22


@dataclass(frozen=True)
class ChannelStatistics:
    """What is subtracted from and divides each channel of a sample, the first axis after the batch."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(
        cls, data: DataSet, indices: Array | None = None, advance: Callable[[int], object] = lambda done: None
    ) -> "ChannelStatistics":
        """Those of the samples that are trained on: means and standard deviations over all other axes.

        A channel that is the same everywhere gets the deviation 1. `advance` is told how many samples are
        done.

        Raises ExecutionError for tokens, for several inputs, and where a number is not finite.
        """
        if data.vocabulary is not None or len(data.fields) != 1:
            refuse("E921", f"{data.path} has no channels of one input to be normalised")
        ((name, field),) = data.fields.items()
        if not field.shape:
            refuse("E921", f"the samples of {data.path} are single numbers, without channels")
        chosen = np.arange(len(data)) if indices is None else indices
        if not len(chosen):
            refuse("E926", f"no sample of {data.path} is chosen for its statistics")
        step = max(1, _PART_BYTES // max(1, 8 * int(np.prod(field.shape))))
        count, mean, squares = 0, np.zeros(field.shape[0]), np.zeros(field.shape[0])
        first = as_numbers(data.batch(chosen[:1]).inputs[name], np.float64)
        origin = first.reshape(field.shape[0], -1)[:, :1]
        for start in range(0, len(chosen), step):
            numbers = chosen[start : start + step]
            x = as_numbers(data.batch(numbers).inputs[name], np.float64)
            rows = np.moveaxis(x, 1, 0).reshape(field.shape[0], -1)
            with np.errstate(invalid="ignore"):  # what is not finite is found below
                rows = rows - origin
                own_mean = rows.mean(axis=1)
            if not np.isfinite(own_mean).all():
                from netcalc.train.data.checking import require_finite

                require_finite(data, numbers)
            own_squares = np.square(rows - own_mean[:, None]).sum(axis=1)
            total = count + rows.shape[1]
            shift = own_mean - mean
            mean = mean + shift * (rows.shape[1] / total)
            squares = squares + own_squares + np.square(shift) * (count * rows.shape[1] / total)
            count = total
            advance(len(numbers))
        std = np.sqrt(squares / count)
        mean = mean + origin[:, 0]
        return cls(tuple(mean.tolist()), tuple(np.where(std > 0, std, 1.0).tolist()))

    def apply(self, x: Array) -> Array:
        """(x - mean) / std of each channel, in place: x is N,C,... of floats."""
        sizes = (1, -1, *[1] * (x.ndim - 2))
        x -= np.array(self.mean, x.dtype).reshape(sizes)
        x /= np.array(self.std, x.dtype).reshape(sizes)
        return x
