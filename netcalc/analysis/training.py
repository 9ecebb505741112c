"""Live memory at each event of a training step: forward, loss, backward and update, layer by layer.

The schedule is that of PyTorch's autograd. A storage is freed at its last reference: a reader in forward, or
a layer that saved it, once that layer's backward has run.
"""

from collections.abc import Iterator, Sequence

from netcalc.analysis.allocations import Allocations, Bytes, MemoryEvent, Parts, peaks
from netcalc.analysis.backward import BackwardReplay
from netcalc.analysis.checkpointing import Segment
from netcalc.analysis.lifetimes import Lifetimes
from netcalc.analysis.losses import Loss
from netcalc.analysis.precision import PrecisionPolicy
from netcalc.analysis.references import Copy, References


class TrainingReplay:
    """One training step, event by event."""

    def __init__(
        self,
        lifetimes: Lifetimes,
        precision: PrecisionPolicy,
        segments: Sequence[Segment],
        losses: Sequence[Loss] = (),
        update: int = 0,
    ) -> None:
        self.lifetimes = lifetimes
        self.aliasing = lifetimes.aliasing
        self.graph = lifetimes.aliasing.graph
        self.precision = precision
        self.segments = segments
        self.losses = losses
        self.update = update  # bytes of the optimiser's workspace
        self.references = References(lifetimes, segments)
        self.allocations = Allocations()
        self.backward = BackwardReplay(self.references, precision, self.allocations)

    def events(self) -> Iterator[MemoryEvent]:
        """Forward, loss, backward and the update."""
        inputs = {self.aliasing.storage_of[given.name] for given in self.graph.inputs}
        for storage in sorted(inputs):
            copy = (storage, False)
            if self.references.savers[copy] + self.references.readers[copy]:
                self._allocate(copy)
        for loss in self.losses:
            self.allocations.allocate(("target", loss.output), loss.target, "kept")
        for layer in range(len(self.graph.nodes)):
            yield from self._forward(layer, again=False)
        yield from self._losses()
        for segment in reversed(self.segments):
            yield from self._segment_backward(segment)
        for loss in self.losses:
            self.allocations.release(("target", loss.output))
        self.allocations.allocate("update", Bytes(self.update), "temporary")
        yield MemoryEvent("update", None, self.allocations.parts)

    def _forward(self, layer: int, again: bool) -> Iterator[MemoryEvent]:
        node, written = self.graph.nodes[layer], self.lifetimes.written[layer]
        saves = again or not self.references.segment_of[layer].recomputed
        if written is not None:
            self._allocate((written, again), references=1)
        if saves:
            saved = self.aliasing.saved[node.full_name]
            beside = Bytes(self.precision.extra_bytes(saved.once), self.precision.extra_bytes(saved.each))
            self.allocations.allocate(("beside", layer), beside, "kept")
        for parts in peaks(self._moments(layer)):
            yield MemoryEvent("again" if again else "forward", layer, parts)
        for storage in self.lifetimes.read[layer]:
            if not again or self.references.is_written_in_segment_of(layer, storage):
                self.allocations.release((storage, again))
        if written is not None:
            self.allocations.release((written, again))
        if saves and not self.aliasing.has_backward(node):
            self.allocations.release(("beside", layer))

    def _moments(self, layer: int) -> Iterator[Parts]:
        """The live memory during the operators of a layer's forward.

        Where backward goes through the layer, nearly all that is inside is kept, and counted as that. Where
        it does not, as through a frozen one, it is freed operator by operator as in inference; the layer's
        inputs stay, since its caller holds them.
        """
        parts, written = self.allocations.parts, self.lifetimes.written[layer]
        if self.aliasing.has_backward(self.graph.nodes[layer]):
            yield parts
            return
        output = Bytes(per_sample=0 if written is None else self.aliasing.sizes[written])
        for own, _ in self.lifetimes.operators[layer]:
            yield parts._replace(temporary=parts.temporary.plus(own).plus(output, -1))

    def _losses(self) -> Iterator[MemoryEvent]:
        """Forward and backward of the losses; then the network's outputs are released.

        An output without a loss gets its gradient from the caller.
        """
        for loss in self.losses:
            self.allocations.allocate(("log_softmax", loss.output), loss.log_softmax, "kept")
            yield MemoryEvent("loss", None, self.allocations.parts)
        saved = {self.aliasing.storage_of[loss.output] for loss in self.losses if loss.saves_output}
        for storage in self.lifetimes.outputs - saved:
            self.allocations.release((storage, False))
        losses = {loss.output: loss for loss in self.losses}
        for name in reversed(dict.fromkeys(self.graph.outputs)):
            if name in losses and name in self.graph.needs_gradient:
                yield from self._loss_backward(losses[name])
            elif name in self.graph.needs_gradient:
                self.backward.start_from(name)
            if name in losses:
                self.allocations.release(("log_softmax", name))
        for storage in saved:
            self.allocations.release((storage, False))

    def _loss_backward(self, loss: Loss) -> Iterator[MemoryEvent]:
        """The gradient of log_softmax, then that of the output."""
        key = ("gradient of log_softmax", loss.output)
        self.allocations.allocate(key, loss.log_softmax, "gradients")
        self.backward.start_from(loss.output)
        yield MemoryEvent("loss", None, self.allocations.parts)
        self.allocations.release(key)

    def _segment_backward(self, segment: Segment) -> Iterator[MemoryEvent]:
        """The second forward of a recomputed segment, then the backward of its layers."""
        nodes = self.graph.nodes
        active = [layer for layer in segment.layers if self.aliasing.has_backward(nodes[layer])]
        for layer in segment.layers if segment.recomputed and active else ():
            yield from self._forward(layer, again=True)
        for layer in reversed(active):
            yield from self.backward.events(layer)
        for storage in self.references.segment_inputs(segment):
            self.allocations.release((storage, False))

    def _allocate(self, copy: Copy, references: int = 0) -> None:
        savers, readers = self.references.savers[copy], self.references.readers[copy]
        size = Bytes(per_sample=self.aliasing.sizes[copy[0]])
        self.allocations.allocate(copy, size, "kept" if savers else "passing", references + savers + readers)
