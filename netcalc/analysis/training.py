"""What lives in memory at each step of training: layer by layer forward, then back, then the update.

The backward runs as PyTorch's engine does: a tensor's gradient lives from its first reader's backward to its
maker's; one that comes second is added to the first in place, or to a new one where others still see the
first; what a layer kept goes once its backward has run. While it runs, the gradients of what the layer made
inside itself come and go as its operators do.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from netcalc.analysis.checkpointing import Segment
from netcalc.analysis.ledger import Bytes, Ledger, Parts
from netcalc.analysis.lifetimes import Lifetimes
from netcalc.analysis.losses import Loss
from netcalc.analysis.precision import Precision
from netcalc.graph import Node
from netcalc.layers import View
from netcalc.layers.kept import Extra

Phase = Literal["forward", "loss", "again", "backward", "update"]
Copy = tuple[int, bool]
"""A storage as it was made first, or as its segment made it again."""


class Step(NamedTuple):
    """A layer's forward or backward, the loss or the update of the weights, and what lives at its highest."""

    phase: Phase
    layer: int | None
    parts: Parts


class Replay:
    """One training step, replayed."""

    def __init__(
        self,
        lifetimes: Lifetimes,
        precision: Precision,
        segments: Sequence[Segment],
        losses: Sequence[Loss] = (),
        update: int = 0,
    ) -> None:
        self.storages = lifetimes.storages
        self.nodes = lifetimes.storages.graph.nodes
        self.lifetimes = lifetimes
        self.precision = precision
        self.segments = segments
        self.losses = losses
        self.update = update  # what the optimiser takes for itself
        self.ledger = Ledger()
        self._segment_of = [segment for segment in segments for _ in segment.layers]
        self._maker = {made: layer for layer, made in enumerate(lifetimes.made) if made is not None}
        self._keepers = self._count_keepers()
        self._readers = self._count_readers()
        self._gradients: dict[str, int] = {}  # the piece that holds each tensor's gradient
        self._views = set[str]()  # the tensors whose gradient is a view of another
        self._fresh = 0
        self._owners: dict[str, bool] = {}  # whose weights have a gradient, and whether it can be added to

    def steps(self) -> Iterator[Step]:
        """Forward, backward and the update."""
        given = {self.storages.of[given.name] for given in self.storages.graph.inputs}
        for storage in sorted(given):
            if self._keepers[storage, False] + self._readers[storage, False]:
                self._take_storage((storage, False))
        for loss in self.losses:
            self.ledger.take(("target", loss.output), loss.target, "kept")
        for layer in range(len(self.nodes)):
            yield self._forward(layer, again=False)
        yield from self._turn()
        for segment in reversed(self.segments):
            active = [layer for layer in segment.layers if self.storages.has_backward(self.nodes[layer])]
            for layer in segment.layers if segment.again and active else ():
                yield self._forward(layer, again=True)
            for layer in reversed(active):
                yield from self._backward(layer)
            for storage in self._entering(segment):
                self.ledger.release((storage, False))
        for loss in self.losses:
            self.ledger.release(("target", loss.output))
        self.ledger.take("update", Bytes(self.update), "temporary")
        yield Step("update", None, self.ledger.parts)

    def _forward(self, layer: int, again: bool) -> Step:
        made, keeps = self.lifetimes.made[layer], again or not self._segment_of[layer].again
        if made is not None:
            self._take_storage((made, again), holders=1)
        if keeps:
            kept = self.storages.kept[self.nodes[layer].full_name]
            beside = Bytes(self.precision.extra_bytes(kept.once), self.precision.extra_bytes(kept.each))
            self.ledger.take(("beside", layer), beside, "kept")
        step = Step("again" if again else "forward", layer, self.ledger.parts)
        for storage in self.lifetimes.read[layer]:
            if not again or self._is_inside(storage, layer):
                self.ledger.release((storage, again))
        if made is not None:
            self.ledger.release((made, again))
        if keeps and not self.storages.has_backward(self.nodes[layer]):
            self.ledger.release(("beside", layer))
        return step

    def _turn(self) -> Iterator[Step]:
        """The losses, forward and back; then the network's outputs have done their work.

        Without a loss an output that needs a gradient gets one from outside.
        """
        for loss in self.losses:
            self.ledger.take(("logs", loss.output), loss.logs, "kept")
            yield Step("loss", None, self.ledger.parts)
        kept = {self.storages.of[loss.output] for loss in self.losses if loss.keeps_output}
        for storage in self.lifetimes.outputs - kept:
            self.ledger.release((storage, False))
        losses = {loss.output: loss for loss in self.losses}
        for name in reversed(dict.fromkeys(self.storages.graph.outputs)):
            if name in losses and name in self.storages.graph.needs_gradient:
                yield from self._lose(losses[name])
            elif name in self.storages.graph.needs_gradient:
                self._gradients[name] = self._new_gradient(name)
            if name in losses:
                self.ledger.release(("logs", name))
        for storage in kept:
            self.ledger.release((storage, False))

    def _lose(self, loss: Loss) -> Iterator[Step]:
        """The way back through a loss: the gradient of the logarithms, then the output's."""
        self.ledger.take(("logs' gradient", loss.output), loss.logs, "gradients")
        self._gradients[loss.output] = self._new_gradient(loss.output)
        yield Step("loss", None, self.ledger.parts)
        self.ledger.release(("logs' gradient", loss.output))

    def _backward(self, layer: int) -> Iterator[Step]:
        node = self.nodes[layer]
        came, is_view = self._gradients.pop(node.full_name), node.full_name in self._views
        needs = self.storages.graph.inputs_need_gradient(node)
        read = [(place, name) for place, name in enumerate(node.inputs) if needs[place]]
        given = [(name, self._hand_on(node, name, came)) for _, name in read]
        is_second = self._take_weight_gradients(layer)
        yield from self._inside(
            layer, came, {place: gradient for (place, _), (_, gradient) in zip(read, given, strict=True)}
        )
        self.ledger.release(("gradient", came))
        self.ledger.release(("beside", layer))
        for copy in self._held_by(layer):
            self.ledger.release(copy)
        if is_second:
            yield from self._add_weight_gradients(layer)
        for name, gradient in given:
            before = self._gradients.get(name)
            if before is None:
                self._gradients[name] = gradient
                is_handed = gradient == came and (is_view or self._is_viewed(node, name))
                if is_handed or node.layer.gives_view(self.storages.graph.types[name]):
                    self._views.add(name)
                continue
            # what others still see, or what is a view, is not added to: the sum is a new one
            if self.ledger.is_shared(("gradient", before)) or name in self._views:
                self._gradients[name] = self._new_gradient(name)
                self._views.discard(name)
                yield Step("backward", layer, self.ledger.parts)
                self.ledger.release(("gradient", before))
            self.ledger.release(("gradient", gradient))

    def _inside(self, layer: int, came: int, given: Mapping[int, int]) -> Iterator[Step]:
        """A layer's backward, moment by moment where it runs several operators one after the other.

        `given` are the gradients of its inputs by their positions.
        """
        node, parts, types = (
            self.nodes[layer],
            self.ledger.parts,
            self.storages.graph.input_types(self.nodes[layer]),
        )
        made = node.layer.made_back(types, node.output, self.storages.graph.inputs_need_gradient(node))
        if made is not None:
            yield Step("backward", layer, parts._replace(temporary=parts.temporary.plus(self._each(made))))
            return
        inside = node.layer.inside(types, node.output)
        if inside is None or len(inside.operators) == 1:
            yield Step("backward", layer, parts)
            return
        learned = sum(param.numel for param in node.params if param.trainable)
        kept = self.storages.kept[node.full_name].each
        totals: dict[Bytes, Parts] = {}
        for moment in inside.back_moments():
            stays = moment.came or self.ledger.is_shared(("gradient", came))  # a shortcut's is the same
            absent = Bytes() if stays else self.ledger.size(("gradient", came))
            for gradient in (
                own for place, own in given.items() if own != came and place not in moment.gives
            ):
                absent = absent.plus(self.ledger.size(("gradient", gradient)))
            later = Bytes((learned - moment.weights) * self.precision.itemsize)
            gone = Extra(*map(min, moment.gone, kept))  # a frozen layer has kept less
            taken = Parts(
                parts.kept.plus(self._each(gone), -1),
                parts.passing,
                parts.gradients.plus(absent, -1),
                parts.weight_gradients.plus(later, -1),
                parts.temporary.plus(self._each(moment.each)),
            )
            totals[taken.total] = taken
        for total, taken in totals.items():  # those that are the highest at some batch
            others = totals.keys() - {total}
            if not any(total.once <= other.once and total.each <= other.each for other in others):
                yield Step("backward", layer, taken)

    def _each(self, extra: Extra) -> Bytes:
        return Bytes(each=self.precision.extra_bytes(extra))

    def _take_storage(self, copy: Copy, holders: int = 0) -> None:
        keepers = self._keepers[copy]
        size = Bytes(each=self.storages.sizes[copy[0]])
        self.ledger.take(
            copy, size, "kept" if keepers else "passing", holders + keepers + self._readers[copy]
        )

    def _hand_on(self, node: Node, name: str, came: int) -> int:
        """The gradient that a layer gives to one of its inputs: what came, or one of its own."""
        if node.layer.hands_on(self.storages.graph.types[name], node.output):
            self.ledger.hold(("gradient", came))
            return came
        return self._new_gradient(name)

    def _is_viewed(self, node: Node, name: str) -> bool:
        """Whether the gradient that a layer hands on is seen another way than what came to it."""
        is_reshaped = self.storages.graph.types[name].shape != node.output.shape
        return is_reshaped or node.layer.view_in(training=True) is View.STRIDED

    def _new_gradient(self, name: str) -> int:
        self._fresh += 1
        nbytes = self.storages.graph.types[name].numel * self.precision.itemsize
        self.ledger.take(("gradient", self._fresh), Bytes(each=nbytes), "gradients")
        return self._fresh

    def _take_weight_gradients(self, layer: int) -> bool:
        """Memory for the gradients of a layer's weights; true where they are added to those of others."""
        node = self.nodes[layer]
        owner = node.shared or node.full_name
        learned = sum(param.numel for param in node.params if param.trainable)
        self.ledger.take(("weights", layer), Bytes(learned * self.precision.itemsize), "weight_gradients")
        is_second = owner in self._owners
        if not is_second:
            self._owners[owner] = not node.layer.transposes
        return is_second

    def _add_weight_gradients(self, layer: int) -> Iterator[Step]:
        """The gradients of shared weights, added in place where the first is no view of another tensor."""
        node = self.nodes[layer]
        owner = node.shared or node.full_name
        if not self._owners[owner]:
            largest = max((param.numel for param in node.params if param.trainable), default=0)
            self.ledger.take(("sum", layer), Bytes(largest * self.precision.itemsize), "weight_gradients")
            yield Step("backward", layer, self.ledger.parts)
            self.ledger.release(("sum", layer))
            self._owners[owner] = True
        self.ledger.release(("weights", layer))

    def _count_keepers(self) -> Counter[Copy]:
        """How many hold on to each storage for the way back: layers, and segments that will read it again."""
        keepers = Counter[Copy]()
        for layer in range(len(self.nodes)):
            keepers.update(self._held_by(layer))
        for segment in self.segments:
            keepers.update((storage, False) for storage in self._entering(segment))
        return keepers

    def _count_readers(self) -> Counter[Copy]:
        """How many read each storage on the way forward, an output's user among them."""
        readers = Counter[Copy]((storage, False) for storage in self.lifetimes.outputs)
        for layer, read in enumerate(self.lifetimes.read):
            readers.update((storage, False) for storage in read)
            if self._segment_of[layer].again:
                readers.update((storage, True) for storage in read if self._is_inside(storage, layer))
        return readers

    def _held_by(self, layer: int) -> list[Copy]:
        """What a layer holds on to itself; what comes into a segment that runs again, that one holds."""
        again = self._segment_of[layer].again
        stored = self.storages.kept_by(self.nodes[layer])
        return [(storage, again) for storage in stored if not again or self._is_inside(storage, layer)]

    def _entering(self, segment: Segment) -> set[int]:
        """The storages that a segment which runs again reads, made before it."""
        if not (segment.again and any(map(self.storages.has_backward, self.nodes[slice(*segment[:2])]))):
            return set()
        read = {storage for layer in segment.layers for storage in self.lifetimes.read[layer]}
        return {storage for storage in read if not self._is_inside(storage, segment.start)}

    def _is_inside(self, storage: int, layer: int) -> bool:
        """Whether a storage is made in a layer's segment."""
        maker = self._maker.get(storage)
        return maker is not None and self._segment_of[maker] == self._segment_of[layer]
