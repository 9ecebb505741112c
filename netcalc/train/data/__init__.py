"""Data sets: opened by what a file holds, split, and looked over before the first step.

    from netcalc.train.augmentation import parsed
    from netcalc.train.batches import Batches

data = open_data("mnist")                    a file, or a folder of files
training, validation = split(data, 0.1)      numbers of samples
scale = ChannelStatistics.of(data, training)
batches = Batches(data, 64, indices=training, statistics=scale, augmentation=parsed("crop:4,flip"))
for batch in batches.epoch(0): ...
"""

from netcalc.train.data.checking import require_finite, require_fit
from netcalc.train.data.dataset import ArrayData, Batch, DataSet, InputField, Reading
from netcalc.train.data.formats import FORMATS, open_data
from netcalc.train.data.splitting import split
from netcalc.train.data.statistics import ChannelStatistics

__all__ = [
    "FORMATS",
    "ArrayData",
    "Batch",
    "ChannelStatistics",
    "DataSet",
    "InputField",
    "Reading",
    "open_data",
    "require_finite",
    "require_fit",
    "split",
]
