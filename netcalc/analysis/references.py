"""References to storages in a training step: who reads each in forward, and who saves it for backward."""

from collections import Counter
from collections.abc import Sequence

from netcalc.analysis.checkpointing import Segment
from netcalc.analysis.lifetimes import Lifetimes

Copy = tuple[int, bool]
"""A storage as first computed (False), or as recomputed by its segment (True)."""


class References:
    """Which layers and segments hold each copy of a storage."""

    def __init__(self, lifetimes: Lifetimes, segments: Sequence[Segment]) -> None:
        self.lifetimes = lifetimes
        self.aliasing = lifetimes.aliasing
        self.nodes = lifetimes.aliasing.graph.nodes
        self.segments = segments
        self.segment_of = [segment for segment in segments for _ in segment.layers]
        self._writer = {
            storage: layer for layer, storage in enumerate(lifetimes.written) if storage is not None
        }
        self.savers = self._count_savers()
        self.readers = self._count_readers()

    def saved_by(self, layer: int) -> list[Copy]:
        """The copies that a layer saves; inputs of a recomputed segment are saved by the segment."""
        recomputed = self.segment_of[layer].recomputed
        storages = self.aliasing.storages_saved_by(self.nodes[layer])
        return [
            (storage, recomputed)
            for storage in storages
            if not recomputed or self.is_written_in_segment_of(layer, storage)
        ]

    def segment_inputs(self, segment: Segment) -> set[int]:
        """The storages that a recomputed segment reads and an earlier segment wrote."""
        nodes = self.nodes[segment.start : segment.stop]
        if not (segment.recomputed and any(map(self.aliasing.has_backward, nodes))):
            return set()
        read = {storage for layer in segment.layers for storage in self.lifetimes.read[layer]}
        return {storage for storage in read if not self.is_written_in_segment_of(segment.start, storage)}

    def is_written_in_segment_of(self, layer: int, storage: int) -> bool:
        """Whether the segment of a layer writes a storage."""
        writer = self._writer.get(storage)
        return writer is not None and self.segment_of[writer] == self.segment_of[layer]

    def _count_savers(self) -> Counter[Copy]:
        """How many layers and recomputed segments save each copy for backward."""
        savers = Counter[Copy]()
        for layer in range(len(self.nodes)):
            savers.update(self.saved_by(layer))
        for segment in self.segments:
            savers.update((storage, False) for storage in self.segment_inputs(segment))
        return savers

    def _count_readers(self) -> Counter[Copy]:
        """How many layers read each copy in a forward; the network's caller reads its outputs."""
        readers = Counter[Copy]((storage, False) for storage in self.lifetimes.outputs)
        for layer, read in enumerate(self.lifetimes.read):
            readers.update((storage, False) for storage in read)
            if self.segment_of[layer].recomputed:
                inside = (storage for storage in read if self.is_written_in_segment_of(layer, storage))
                readers.update((storage, True) for storage in inside)
        return readers
