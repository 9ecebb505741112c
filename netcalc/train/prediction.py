"""What a trained network predicts: the classes of the highest scores, with their probabilities."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.images import read_image
from netcalc.backend.inputs import token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.ranking import best_classes
from netcalc.graph import Graph
from netcalc.tensor import format_shape
from netcalc.train.applying import Applied, batches_for
from netcalc.train.data.dataset import Batch, DataSet
from netcalc.train.data.folder import FolderData
from netcalc.train.evaluation import are_probabilities
from netcalc.train.forward import Forward


class Prediction(NamedTuple):
    """The classes of a sample that score highest."""

    sample: str
    """Its file, or its number in a data set."""
    label: int | None
    """Its class, where that is known."""
    best: Sequence[tuple[int, float]]
    """The best classes with their probabilities, the best first."""


def require_classes(graph: Graph) -> None:
    """Raise ExecutionError unless the first output is scores of classes."""
    output = graph.outputs[0]
    shape = graph.types[output].shape
    if len(shape) != 1 or shape[0] < 2:
        refuse(
            "E944",
            f"the output {output} of {graph.name} is {format_shape(shape)}, not a score a class",
            help="a language model continues a --prompt" if token_inputs(graph) else None,
        )


def predict_images(use: Applied, paths: Sequence[str], top: int, size: int) -> Iterator[Prediction]:
    """The predictions of pictures, `size` at a time; raises ExecutionError for what is no picture."""
    graph = use.network.graph
    if len(graph.inputs) > 1:
        names = ", ".join(given.name for given in graph.inputs)
        refuse("E944", f"{graph.name} has the inputs {names}; a picture is one")
    shape = graph.inputs[0].type.shape

    def batches() -> Iterator[Batch]:
        for start in range(0, len(paths), size):
            some = paths[start : start + size]
            pictures = [read_image(path, shape, use.preprocess) for path in some]
            yield Batch({"x": np.stack(pictures)}, np.zeros(len(pictures), np.int64))

    for path, best in zip(paths, _best(use, batches(), top), strict=True):
        yield Prediction(path, None, best)


def predict_data(
    use: Applied,
    data: DataSet,
    top: int,
    size: int,
    count: int | None = None,
) -> Iterator[Prediction]:
    """The predictions of a data set's samples in their order, `count` of them."""
    labels: list[Array] = []

    def batches() -> Iterator[Batch]:
        for batch in batches_for(use, data, size, count):
            labels.append(batch.labels)
            yield batch

    for number, best in enumerate(_best(use, batches(), top)):
        at, own = divmod(number, size)
        label = labels[at][own]
        sample = data.place(number) if isinstance(data, FolderData) else str(number)
        yield Prediction(sample, int(label), best)


def _best(use: Applied, batches: Iterable[Batch], top: int) -> Iterator[list[tuple[int, float]]]:
    """The best classes of each sample."""
    graph = use.network.graph
    output = graph.outputs[0]
    with Forward(use.network) as forward:
        for batch in batches:
            yield from best_classes(forward(batch.inputs)[output], top, are_probabilities(graph))
