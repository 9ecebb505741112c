"""The batches of an epoch: in an order, of numbers to compute with, augmented and normalised.

Everything is a function of seed, epoch and sample: a run that continues at batch 7 of epoch 3 gets what it
would have got.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.train.augmentation import Augmentation
from netcalc.train.data.checking import require_range
from netcalc.train.data.dataset import Batch, DataSet
from netcalc.train.data.scaling import as_numbers
from netcalc.train.data.statistics import ChannelStatistics
from netcalc.train.draws import shuffled


class Batches:
    """Batches of `size` samples of a data set.

    `indices` are the samples' numbers, all unless given. `shuffle` gives each epoch an order of its own, from
    `seed` and the epoch alone. The last batch has fewer samples, or is left out with `drop_last`. Pictures
    become numbers from 0 to 1, are augmented, and normalised by `statistics`.

    Raises ExecutionError where there is no batch, and where an augmentation cannot act on the samples.
    """

    def __init__(
        self,
        data: DataSet,
        size: int,
        *,
        indices: Array | None = None,
        seed: int = 0,
        shuffle: bool = True,
        drop_last: bool = False,
        augmentation: Augmentation | None = None,
        statistics: ChannelStatistics | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        self._data = data
        self._size = size
        self._indices = np.arange(len(data)) if indices is None else np.asarray(indices)
        self._seed, self._shuffle, self._drop_last = seed, shuffle, drop_last
        self._augmentation = augmentation
        self._statistics = statistics
        self._dtype = np.dtype(dtype)
        if size < 1 or not len(self):
            refuse("E926", f"{len(self._indices):,} samples of {data.path} make no batch of {size:,}")
        if augmentation:
            augmentation.require(data)

    def __len__(self) -> int:
        """The number of batches of an epoch."""
        whole, rest = divmod(len(self._indices), self._size)
        return whole + bool(rest and not self._drop_last)

    def order(self, epoch: int) -> Array:
        """The samples' numbers in the order of an epoch."""
        return shuffled(self._indices, self._seed, epoch) if self._shuffle else self._indices

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from number `start` on, which is where an interrupted run continues."""
        order = self.order(epoch)
        for number in range(start, len(self)):
            yield self.batch(order[number * self._size : (number + 1) * self._size], epoch)

    def batch(self, indices: Array, epoch: int) -> Batch:
        """The samples of these numbers, as they are in an epoch."""
        batch = self._plain(indices, epoch)
        mixup = self._augmentation.mixup if self._augmentation else None
        if mixup is not None:
            partners, weights = mixup.draw(indices, self._indices, self._seed, epoch)
            batch = mixup.mixed(batch, self._plain(partners, epoch), weights)
        if self._statistics:
            for x in batch.inputs.values():
                self._statistics.apply(x)
        return batch

    def _plain(self, indices: Array, epoch: int) -> Batch:
        """Augmented samples before they are mixed and normalised."""
        stored = self._data.batch(indices)
        inputs = {name: as_numbers(x, self._dtype) for name, x in stored.inputs.items()}
        if self._statistics:
            inputs = {name: x.astype(self._dtype, copy=False) for name, x in inputs.items()}
        if self._augmentation:
            if self._augmentation.has_range:
                for x in stored.inputs.values():
                    require_range(self._data, indices, x)
            fill = self._statistics.mean if self._statistics else (0.0,)
            inputs = {
                name: self._augmentation.apply(x, indices, self._seed, epoch, fill)
                for name, x in inputs.items()
            }
        return stored._replace(inputs=inputs)
