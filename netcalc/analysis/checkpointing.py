"""Checkpointing: segments whose activations are dropped and recomputed in backward (Chen et al. 2016)."""

from collections.abc import Iterator
from itertools import groupby, pairwise
from math import isqrt
from typing import NamedTuple

from netcalc.analysis.lifetimes import Lifetimes
from netcalc.graph import Graph


class Segment(NamedTuple):
    """Layers `start` to `stop`, exclusive, by their places in the graph."""

    start: int
    stop: int
    recomputed: bool = False
    """Whether backward runs the segment's forward a second time."""

    @property
    def layers(self) -> range:
        """The places of its layers."""
        return range(self.start, self.stop)


def no_checkpoints(graph: Graph) -> tuple[Segment, ...]:
    """One segment that saves everything."""
    return (Segment(0, len(graph.nodes)),)


def blocks(graph: Graph, depth: int = 1) -> tuple[Segment, ...]:
    """A recomputed segment for each block at a depth of nesting.

    Layers outside blocks save their tensors, and so do blocks of one layer, where nothing would be dropped.
    """
    segments = []
    for path, members in groupby(enumerate(graph.nodes), key=lambda placed: placed[1].path[:depth]):
        places = [place for place, _ in members]
        is_block = len(path) == depth and len(places) > 1
        segments.append(Segment(places[0], places[-1] + 1, recomputed=is_block))
    return tuple(segments)


def square_root(lifetimes: Lifetimes) -> tuple[Segment, ...]:
    """About sqrt(n) segments of similar length for n layers; all but the last are recomputed.

    A segment ends within half a length of its even place, where the fewest bytes are live.
    """
    count = len(lifetimes.written)
    length = max(1, isqrt(count))
    crossing = list(_crossing_bytes(lifetimes))
    ends = [0]
    for even in range(length, count, length):
        near = [end for end in range(even - length // 2, even + (length + 1) // 2) if ends[-1] < end < count]
        if near:
            ends.append(min(near, key=lambda end, even=even: (crossing[end], abs(end - even))))  # type: ignore[misc]
    return tuple(Segment(start, stop, stop < count) for start, stop in pairwise([*ends, count]))


def _crossing_bytes(lifetimes: Lifetimes) -> Iterator[int]:
    """For each place the bytes of one sample that are written before it and read from it on."""
    sizes, count = lifetimes.aliasing.sizes, len(lifetimes.written)
    change = [0] * (count + 1)
    writers = {storage: layer for layer, storage in enumerate(lifetimes.written) if storage is not None}
    for storage, readers in enumerate(lifetimes.readers):
        if readers:
            change[writers.get(storage, -1) + 1] += sizes[storage]
            change[max(readers) + 1] -= sizes[storage]
    live = 0
    for place in range(count):
        live += change[place]
        yield live
