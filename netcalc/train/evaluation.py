"""How well a network does on samples that it is not trained on: mean loss, accuracy, confusions."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.graph import Graph
from netcalc.layers.softmax import Softmax
from netcalc.train.class_axis import class_axis
from netcalc.train.data.dataset import Batch
from netcalc.train.forward import Forward
from netcalc.train.losses import CrossEntropy, LossFunction, MeanSquaredError

MAX_CONFUSED = 2048
"""Classes up to which confusions are counted: their matrix takes 32 MiB."""
TOP = 5


class Evaluation(NamedTuple):
    """What a network gives for samples in inference mode. Shares are from 0 to 1."""

    samples: int
    loss: float
    """The mean over all labels that count, whatever the size of the batches."""
    accuracy: float | None
    """The share of labels that have the highest score; None where labels are no classes."""
    top5: float | None
    """The share of labels among the five highest scores; None as well for five classes and fewer."""
    confusion: Array | None
    """Confusions (C, C) of int64: row by label, column by prediction; None beyond `MAX_CONFUSED` classes."""
    labels: int
    """The labels that count: a sequence has one a token, a map one a pixel, and ignored ones are left out."""
    output: str
    """The output that is judged."""


def evaluate(
    network: Network,
    batches: Iterable[Batch],
    loss: LossFunction | None = None,
    *,
    output: str | None = None,
    observe: Callable[[int], object] | None = None,
) -> Evaluation:
    """The loss and the accuracy of a network, with its weights as they are now.

    Forward is in inference mode: running statistics, no dropout. `output` is the one that is judged, the
    first unless given. Without a `loss` it is cross-entropy for whole numbers as labels and the mean squared
    error for others. `observe` is called after each batch with its number of samples.

        >>> batches = Batches(data, 64, indices=validation, shuffle=False, statistics=scale)
        >>> evaluate(network, batches.epoch(0)).accuracy
        0.9812

    Equal scores count for the class of the lowest number. Raises ValueError where labels do not fit the
    output, where no label counts, and for mixed samples.
    """
    graph = network.graph
    name = graph.outputs[0] if output is None else output
    if name not in graph.outputs:
        raise ValueError(f"{graph.name} has no output {name!r}, but {', '.join(graph.outputs)}")
    score = _Score(loss)
    with Forward(network) as forward:
        for batch in batches:
            if batch.others is not None:
                raise ValueError("mixed samples have no class of their own: evaluate without mixup")
            score.add(forward(batch.inputs)[name], batch.labels)
            if observe is not None:
                observe(len(batch.labels))
    return score.result(name)


def takes_probabilities(graph: Graph, loss: LossFunction) -> bool:
    """Whether cross-entropy, which is of scores before a softmax, is taken of the first output after one."""
    return isinstance(loss, CrossEntropy) and are_probabilities(graph)


def are_probabilities(graph: Graph) -> bool:
    """Whether the first output is what a softmax gives."""
    output = graph.outputs[0]
    return any(node.full_name == output and type(node.layer) is Softmax for node in graph.nodes)


class _Score:
    """Sums over batches."""

    def __init__(self, loss: LossFunction | None) -> None:
        self._loss = loss
        self._samples = self._labels = self._best = self._top = 0
        self._sum = self._weight = 0.0
        self._classes = 0
        self._confusion: Array | None = None

    def add(self, outputs: Array, labels: Array) -> None:
        """Add the outputs of a batch."""
        if self._loss is None:
            self._loss = CrossEntropy() if labels.dtype.kind in "iu" else MeanSquaredError()
        self._samples += len(labels)
        loss = self._loss
        if not loss.of_classes:
            labels = labels.reshape(outputs.shape) if labels.size == outputs.size else labels
        weight = loss.weight_of(labels)
        if weight:
            value, _ = loss(outputs, labels)
            self._sum += value * weight
            self._weight += weight
        if loss.of_classes:
            self._add_classes(outputs, labels, loss.ignored)
        else:
            self._labels += labels.size

    def _add_classes(self, outputs: Array, labels: Array, ignored: int | None) -> None:
        axis = class_axis(outputs.ndim)
        classes = outputs.shape[axis]
        scores = np.moveaxis(outputs, axis, -1).reshape(-1, classes)
        truth = labels.reshape(-1).astype(np.int64)
        if ignored is not None:
            counted = truth != ignored
            scores, truth = scores[counted], truth[counted]
        if np.isnan(scores).any():
            scores = np.where(np.isnan(scores), np.inf, scores)  # as argmax takes them
        predicted = scores.argmax(axis=1)
        self._labels += len(truth)
        self._best += int((predicted == truth).sum())
        self._classes = classes
        if classes > TOP:
            own = np.take_along_axis(scores, truth[:, None], axis=1)
            before = (scores == own) & (np.arange(classes) < truth[:, None])
            self._top += int((((scores > own) | before).sum(axis=1) < TOP).sum())
        if classes <= MAX_CONFUSED:
            if self._confusion is None:
                self._confusion = np.zeros((classes, classes), np.int64)
            np.add.at(self._confusion, (truth, predicted), 1)

    def result(self, output: str) -> Evaluation:
        """The means over all batches."""
        if not self._samples:
            raise ValueError("there is no sample to evaluate")
        if not self._weight:
            raise ValueError("no label counts: there is no mean loss")
        has_classes = bool(self._classes)
        return Evaluation(
            self._samples,
            self._sum / self._weight,
            self._best / self._labels if has_classes else None,
            self._top / self._labels if self._classes > TOP else None,
            self._confusion,
            self._labels,
            output,
        )
