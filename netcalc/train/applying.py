"""A trained file applied to a data set: its weights, its normalisation, its classes."""

import os
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from netcalc.backend import Network
from netcalc.backend.errors import refuse
from netcalc.graph import Preprocess
from netcalc.train.batches import Batches
from netcalc.train.class_axis import class_count
from netcalc.train.class_matching import label_numbers
from netcalc.train.data.dataset import Batch, DataSet
from netcalc.train.data.statistics import ChannelStatistics
from netcalc.train.trained import Trained, read_trained

Source = Literal["file", "spec", "nothing"]


class Applied(NamedTuple):
    """A network with the weights of a file, and how samples are prepared for it."""

    network: Network
    trained: Trained
    preprocess: Preprocess
    """How pictures are resized and normalised: as the file says, else as the spec does."""
    normalised_by: Source

    @property
    def statistics(self) -> ChannelStatistics | None:
        """What the samples of a data set are normalised by."""
        if self.normalised_by == "nothing":
            return None
        channels = self.network.graph.inputs[0].type.shape[0]
        for name, values in (("mean", self.preprocess.mean), ("std", self.preprocess.std)):
            if len(values) not in (1, channels):
                refuse("E911", f"{name} has {len(values)} values, the input has {channels} channels")
        mean, std = (v * channels if len(v) == 1 else v for v in self.preprocess[1:])
        return ChannelStatistics(mean, std)

    @property
    def class_names(self) -> list[str]:
        """The name of each class that the first output scores: that of the file, else its number."""
        graph, names = self.network.graph, self.trained.classes
        count = class_count(graph.types[graph.outputs[0]].shape)
        return [*names, *map(str, range(len(names), count))]


def applied(network: Network, path: str | os.PathLike[str] | None) -> Applied:
    """Load a weight file, where there is one, into a network. Raises ExecutionError where it does not fit."""
    trained = Trained({}) if path is None else read_trained(path, network)
    if path is not None:
        network.load(trained.weights)
    graph = network.graph
    scale, own = trained.statistics, graph.preprocess
    if scale is not None:
        return Applied(network, trained, Preprocess(trained.resize, scale.mean, scale.std), "file")
    was_trained_without = bool(trained.network)  # a weight file of another origin says nothing of it
    if own[1:] != Preprocess()[1:] and len(graph.inputs) == 1 and not was_trained_without:
        return Applied(network, trained, own, "spec")
    resize = trained.resize if was_trained_without else own.resize
    return Applied(network, trained, Preprocess(resize), "nothing")


def batches_for(
    to: Applied, data: DataSet, size: int, count: int | None = None, *, are_judged: bool = True
) -> Iterator[Batch]:
    """The samples of a data set in their order, `count` of them, prepared as the trained file says.

    Labels are numbered as the file numbers its classes. Raises ExecutionError where a class of the data is
    not one of the file's. Labels that are not judged stay as they are where the file's classes have no names.
    """
    graph = to.network.graph
    scores = class_count(graph.types[graph.outputs[0]].shape)
    numbers = label_numbers(data, to.trained.classes, scores, graph.name, are_judged)
    indices = None if count is None else np.arange(min(count, len(data)))
    dtype = np.promote_types(to.network.dtype, np.float32)  # halves are rounded once, by the network
    batches = Batches(data, size, indices=indices, shuffle=False, statistics=to.statistics, dtype=dtype)
    for batch in batches.epoch(0):
        yield batch if numbers is None else batch._replace(labels=numbers[batch.labels])
