"""Memory of training and inference: the peak, the timeline, and the largest batch that fits.

In inference an output lives until its last reader; in training until the backward of the last layer that
saved it. Every size is linear in the batch, so the largest batch that fits is exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

from netcalc.analysis.aliasing import Aliasing
from netcalc.analysis.allocations import Bytes, MemoryEvent
from netcalc.analysis.checkpointing import Segment, blocks, no_checkpoints, square_root
from netcalc.analysis.gradients import backward_macs
from netcalc.analysis.lifetimes import Lifetimes
from netcalc.analysis.losses import Loss, LossName, losses_of
from netcalc.analysis.ordering import Ordering, best_order
from netcalc.analysis.precision import PrecisionPolicy, Weights, precision_of, update_bytes, weights_of
from netcalc.analysis.report import require_batch, require_dtype
from netcalc.analysis.training import TrainingReplay
from netcalc.diagnostics import ArgumentError
from netcalc.graph import Graph, Node
from netcalc.layers import Saved
from netcalc.tensor import DTYPES, FrozenDict

CheckpointWord = Literal["none", "sqrt", "block"]
Checkpoint = CheckpointWord | int
"""No checkpoints, about sqrt(n) segments for n layers, the outermost blocks, or those at a depth."""
MOST_DEPTH = 999_999
"""The largest depth of blocks that is taken."""


class LayerMemory(NamedTuple):
    """What one layer adds to the memory and the computation of training."""

    node: Node
    saved: Bytes
    """What it saves for backward that no layer before it saves."""
    backward_macs: int
    """Multiply-adds of its backward for one sample."""


@dataclass(frozen=True)
class TrainingMemory:
    """Memory of one training step at any batch size."""

    graph: Graph
    precision: PrecisionPolicy
    weights: Weights
    segments: tuple[Segment, ...]
    timeline: tuple[MemoryEvent, ...]
    layers: tuple[LayerMemory, ...]
    saved_tensors: Mapping[str, Saved]
    """What each layer saves, by its full name."""
    losses: tuple[Loss, ...]
    loss_saved: Bytes
    """What the losses save that no layer saves."""

    def bytes_at(self, event: MemoryEvent, batch: int) -> int:
        """Live memory during an event, weights included."""
        return self.weights.total + event.parts.total.at(batch)

    def peak_event(self, batch: int) -> MemoryEvent:
        """The first event at which live memory is at its peak."""
        return max(self.timeline, key=lambda event: event.parts.total.at(batch))

    def peak(self, batch: int) -> int:
        """Peak memory."""
        return self.bytes_at(self.peak_event(batch), batch)

    def largest_batch(self, limit: int) -> int | None:
        """The largest batch whose peak is within a limit; 0 if not even one sample fits, None if any does."""
        fits = []
        for event in self.timeline:
            fixed, per_sample = event.parts.total
            room = limit - self.weights.total - fixed
            if room < 0:
                return 0
            if per_sample:
                fits.append(room // per_sample)
        return min(fits, default=None)

    @cached_property
    def saved(self) -> Bytes:
        """What all layers and the loss save for backward without checkpoints."""
        total = self.loss_saved
        for layer in self.layers:
            total = total.plus(layer.saved)
        return total

    @cached_property
    def forward_macs(self) -> int:
        """Multiply-adds of one sample's forward."""
        return sum(self.graph.cost(node).macs for node in self.graph.nodes)

    @cached_property
    def backward_macs(self) -> int:
        """Multiply-adds of one sample's backward, without recomputation."""
        return sum(layer.backward_macs for layer in self.layers)

    @cached_property
    def recomputed_macs(self) -> int:
        """Multiply-adds of one sample's recomputation."""
        places = {event.layer for event in self.timeline if event.phase == "again"}  # of one layer several
        return sum(self.graph.cost(self.graph.nodes[place]).macs for place in places if place is not None)


@dataclass(frozen=True)
class InferenceMemory:
    """Memory of a forward pass at any batch size."""

    graph: Graph
    weights: int
    live: tuple[tuple[int, Bytes], ...]
    """Live memory during each operator without the weights, with its layer, in the graph's order."""
    ordering: Ordering
    best_live: tuple[tuple[int, Bytes], ...]
    """The same in the best order that was found."""

    def peak_layer(self, batch: int) -> Node:
        """The layer at which memory is at its peak, in the graph's order."""
        return self.graph.nodes[max(self.live, key=lambda entry: entry[1].at(batch))[0]]

    def peak(self, batch: int) -> int:
        """Peak memory in the graph's order."""
        return self.weights + max(live.at(batch) for _, live in self.live)

    def best_peak(self, batch: int) -> int:
        """Peak memory in the best order that was found."""
        return self.weights + max(live.at(batch) for _, live in self.best_live)


def training(
    graph: Graph,
    dtype: str = "float32",
    optimiser: str = "sgd",
    *,
    mixed: bool = True,
    checkpoint: Checkpoint = "none",
    loss: LossName = "auto",
) -> TrainingMemory:
    """The memory of one training step.

    Raises ValueError for an unknown element type, optimiser or loss, and for a depth of blocks below 1.
    """
    require_checkpoint(checkpoint)
    precision = precision_of(dtype, mixed)
    weights = weights_of(graph, precision, optimiser)
    segments = _segments(graph, precision, checkpoint)
    segment_of = {
        node.full_name: number
        for number, segment in enumerate(segments)
        for node in graph.nodes[segment.start : segment.stop]
    }
    lifetimes = Lifetimes(Aliasing(graph, precision.itemsize, training=True, segment_of=segment_of))
    losses = losses_of(graph, precision, loss)
    update = update_bytes(graph, precision, optimiser)
    timeline = tuple(TrainingReplay(lifetimes, precision, segments, losses, update).events())
    aliasing = lifetimes.aliasing
    layers, loss_saved = _layers(aliasing, precision), _loss_saved(aliasing, losses)
    return TrainingMemory(
        graph, precision, weights, segments, timeline, layers, FrozenDict(aliasing.saved), losses, loss_saved
    )


def training_peak(graph: Graph, batch: int, dtype: str = "float32", optimiser: str = "sgd") -> int:
    """Peak memory of one training step in bytes.

    Raises ValueError for an invalid argument.
    """
    require_batch(batch)
    return training(graph, dtype, optimiser).peak(batch)


def inference(graph: Graph, dtype: str = "float32") -> InferenceMemory:
    """The memory of a forward pass, in the graph's order and in the best order that is found.

    Raises ValueError for an unknown element type.
    """
    require_dtype(dtype)
    itemsize = DTYPES[dtype].itemsize
    lifetimes = Lifetimes(Aliasing(graph, itemsize))
    ordering = best_order(lifetimes)
    owners = (node for node in graph.nodes if node.shared is None)
    weights = sum(param.numel * itemsize for node in owners for param in node.params)
    live = tuple(lifetimes.live_bytes(range(len(graph.nodes))))
    return InferenceMemory(graph, weights, live, ordering, tuple(lifetimes.live_bytes(ordering.order)))


def require_checkpoint(checkpoint: Checkpoint) -> None:
    """Raise ArgumentError unless it is one of the words, or a depth of blocks."""
    is_depth = isinstance(checkpoint, int) and not isinstance(checkpoint, bool)
    if checkpoint not in get_args(CheckpointWord) and not (is_depth and 1 <= int(checkpoint) <= MOST_DEPTH):
        message = f"checkpoint {checkpoint!r} is neither none, sqrt, block, nor a number of names from 1 up."
        raise ArgumentError("checkpoint", message)


def _segments(graph: Graph, precision: PrecisionPolicy, checkpoint: Checkpoint) -> tuple[Segment, ...]:
    if checkpoint == "none":
        return no_checkpoints(graph)
    if checkpoint == "sqrt":
        return square_root(Lifetimes(Aliasing(graph, precision.itemsize, training=True)))
    return blocks(graph, 1 if checkpoint == "block" else checkpoint)


def _layers(aliasing: Aliasing, precision: PrecisionPolicy) -> tuple[LayerMemory, ...]:
    seen, layers = set[int](), []
    for node in aliasing.graph.nodes:
        saved = aliasing.saved[node.full_name]
        new = aliasing.storages_saved_by(node) - seen
        seen |= new
        per_sample = sum(aliasing.sizes[storage] for storage in new) + precision.extra_bytes(saved.each)
        size = Bytes(precision.extra_bytes(saved.once), per_sample)
        layers.append(LayerMemory(node, size, backward_macs(aliasing.graph, node)))
    return tuple(layers)


def _loss_saved(aliasing: Aliasing, losses: tuple[Loss, ...]) -> Bytes:
    """What the losses save that no layer saves."""
    seen = {storage for node in aliasing.graph.nodes for storage in aliasing.storages_saved_by(node)}
    total = Bytes()
    for loss in losses:
        storage = aliasing.storage_of[loss.output]
        total = total.plus(loss.saved)
        if loss.saves_output and storage not in seen:
            seen.add(storage)
            total = total.plus(Bytes(per_sample=aliasing.sizes[storage]))
    return total
