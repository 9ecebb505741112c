"""What a network needs in memory: at its highest in training and in inference, and which batch fits.

In inference an output lives until its last reader; in training until the backward of the last layer that kept
it. Every figure of a sample grows with the batch alone, so that the largest batch that fits is exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from netcalc.analysis.checkpointing import Segment, blocks, square_root, whole
from netcalc.analysis.gradients import backward_macs
from netcalc.analysis.ledger import Bytes
from netcalc.analysis.lifetimes import Lifetimes
from netcalc.analysis.losses import Loss, LossName, losses_of
from netcalc.analysis.ordering import Ordering, best_order
from netcalc.analysis.precision import Precision, Weights, precision_of, update_bytes, weights_of
from netcalc.analysis.storages import Storages
from netcalc.analysis.training import Replay, Step
from netcalc.graph import Graph, Node
from netcalc.layers import Kept
from netcalc.tensor import DTYPES

Checkpoint = Literal["none", "sqrt"] | int
"""Nothing forgotten, as many parts as the root of the number of layers, or blocks so many names deep."""


class LayerMemory(NamedTuple):
    """What one layer adds to training, and its multiply-adds of one sample on the way back."""

    node: Node
    kept: Bytes
    """What it keeps that no layer before it keeps."""
    backward_macs: int


@dataclass(frozen=True)
class Training:
    """One step of training, whatever the batch."""

    graph: Graph
    precision: Precision
    weights: Weights
    segments: tuple[Segment, ...]
    steps: tuple[Step, ...]
    layers: tuple[LayerMemory, ...]
    keeps: Mapping[str, Kept]
    """What each layer keeps, by its full name."""
    losses: tuple[Loss, ...]
    loss_kept: Bytes
    """What the losses keep that no layer keeps."""

    def bytes_at(self, step: Step, batch: int) -> int:
        """Everything that lives at a step."""
        return self.weights.total + step.parts.total.at(batch)

    def peak_step(self, batch: int) -> Step:
        """The first step at which most lives."""
        return max(self.steps, key=lambda step: step.parts.total.at(batch))

    def peak(self, batch: int) -> int:
        """The most bytes that live at once."""
        return self.bytes_at(self.peak_step(batch), batch)

    def largest_batch(self, limit: int) -> int | None:
        """The largest batch whose peak is within a limit of bytes; 0 where none fits, None where all do."""
        fits = []
        for step in self.steps:
            once, each = step.parts.total
            room = limit - self.weights.total - once
            if room < 0:
                return 0
            if each:
                fits.append(room // each)
        return min(fits, default=None)

    @cached_property
    def kept(self) -> Bytes:
        """What all layers and the loss keep for backward, nothing forgotten."""
        total = self.loss_kept
        for layer in self.layers:
            total = total.plus(layer.kept)
        return total

    @cached_property
    def forward_macs(self) -> int:
        """Multiply-adds of one sample's forward."""
        return sum(_macs(self.graph, node) for node in self.graph.nodes)

    @cached_property
    def backward_macs(self) -> int:
        """Multiply-adds of one sample's backward, without those that run again."""
        return sum(layer.backward_macs for layer in self.layers)

    @cached_property
    def again_macs(self) -> int:
        """Multiply-adds of one sample's forward that run again."""
        places = (step.layer for step in self.steps if step.phase == "again" and step.layer is not None)
        return sum(_macs(self.graph, self.graph.nodes[place]) for place in places)


@dataclass(frozen=True)
class Inference:
    """Running the network forward, whatever the batch."""

    graph: Graph
    weights: int
    written: tuple[tuple[int, Bytes], ...]
    """What lives beside the weights, moment by moment with the layer that runs, in the graph's order."""
    ordering: Ordering
    ordered: tuple[tuple[int, Bytes], ...]
    """The same in the order that was found."""

    def peak_layer(self, batch: int) -> Node:
        """The layer at which most lives, in the graph's order."""
        return self.graph.nodes[max(self.written, key=lambda moment: moment[1].at(batch))[0]]

    def peak(self, batch: int) -> int:
        """The most bytes that live at once, in the graph's order."""
        return self.weights + max(live.at(batch) for _, live in self.written)

    def best_peak(self, batch: int) -> int:
        """The same in the order that was found."""
        return self.weights + max(live.at(batch) for _, live in self.ordered)


def training(
    graph: Graph,
    dtype: str = "float32",
    optimiser: str = "sgd",
    *,
    mixed: bool = True,
    checkpoint: Checkpoint = "none",
    loss: LossName = "auto",
) -> Training:
    """Replay one step of training.

    Raises ValueError for an element type, an optimiser, a loss or a depth of blocks that is not known.
    """
    precision = precision_of(dtype, mixed)
    weights = weights_of(graph, precision, optimiser)
    segments = _segments(graph, precision, checkpoint)
    part_of = {
        node.full_name: number
        for number, segment in enumerate(segments)
        for node in graph.nodes[segment.start : segment.stop]
    }
    lifetimes = Lifetimes(Storages(graph, precision.itemsize, training=True, part_of=part_of))
    losses = losses_of(graph, precision, loss)
    update = update_bytes(graph, precision, optimiser)
    steps = tuple(Replay(lifetimes, precision, segments, losses, update).steps())
    storages = lifetimes.storages
    layers = _layers(storages, precision)
    return Training(
        graph, precision, weights, segments, steps, layers, storages.kept, losses, _kept_by(storages, losses)
    )


def training_peak(graph: Graph, batch: int, dtype: str = "float32", optimiser: str = "sgd") -> int:
    """The most bytes that one step of training holds at once.

    Raises ValueError for an argument that is out of range.
    """
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ValueError(f"batch is a whole number from 1 up, not {batch!r}")
    return training(graph, dtype, optimiser).peak(batch)


def inference(graph: Graph, dtype: str = "float32") -> Inference:
    """Replay a forward run, in the graph's order and in the best that is found.

    Raises ValueError for an element type that is not known.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype is one of {', '.join(DTYPES)}, not {dtype!r}")
    itemsize = DTYPES[dtype].itemsize
    lifetimes = Lifetimes(Storages(graph, itemsize))
    ordering = best_order(lifetimes)
    owners = (node for node in graph.nodes if node.shared is None)
    weights = sum(param.numel * itemsize for node in owners for param in node.params)
    written = tuple(lifetimes.replay(range(len(graph.nodes))))
    return Inference(graph, weights, written, ordering, tuple(lifetimes.replay(ordering.order)))


def _segments(graph: Graph, precision: Precision, checkpoint: Checkpoint) -> tuple[Segment, ...]:
    if checkpoint == "none":
        return whole(graph)
    if checkpoint == "sqrt":
        return square_root(Lifetimes(Storages(graph, precision.itemsize, training=True)))
    if isinstance(checkpoint, bool) or not isinstance(checkpoint, int) or checkpoint < 1:
        raise ValueError(f"checkpoint is none, sqrt or a number from 1 up, not {checkpoint!r}")
    return blocks(graph, checkpoint)


def _layers(storages: Storages, precision: Precision) -> tuple[LayerMemory, ...]:
    held, layers = set[int](), []
    for node in storages.graph.nodes:
        kept = storages.kept[node.full_name]
        new = storages.kept_by(node) - held
        held |= new
        each = sum(storages.sizes[storage] for storage in new) + precision.extra_bytes(kept.each)
        back = backward_macs(storages.graph, node)
        layers.append(LayerMemory(node, Bytes(precision.extra_bytes(kept.once), each), back))
    return tuple(layers)


def _kept_by(storages: Storages, losses: tuple[Loss, ...]) -> Bytes:
    """What the losses keep that no layer keeps."""
    held = {storage for node in storages.graph.nodes for storage in storages.kept_by(node)}
    total = Bytes()
    for loss in losses:
        storage = storages.of[loss.output]
        total = total.plus(loss.kept)
        if loss.keeps_output and storage not in held:
            held.add(storage)
            total = total.plus(Bytes(each=storages.sizes[storage]))
    return total


def _macs(graph: Graph, node: Node) -> int:
    return node.layer.cost(graph.input_types(node), node.output).macs
