"""Where training forgets what its layers made, and runs them again on the way back (Chen et al. 2016)."""

from collections.abc import Iterator
from itertools import groupby, pairwise
from math import isqrt
from typing import NamedTuple

from netcalc.analysis.lifetimes import Lifetimes
from netcalc.graph import Graph


class Segment(NamedTuple):
    """Layers `start` up to, not with, `stop`, by their places; with `again` they are run again as a whole."""

    start: int
    stop: int
    again: bool = False

    @property
    def layers(self) -> range:
        """The places of its layers."""
        return range(self.start, self.stop)


def whole(graph: Graph) -> tuple[Segment, ...]:
    """One segment that keeps everything."""
    return (Segment(0, len(graph.nodes)),)


def blocks(graph: Graph, depth: int = 1) -> tuple[Segment, ...]:
    """A segment for each block, by the names so many deep; layers outside keep what they keep.

    So does a block of one layer, which has nothing inside to forget.
    """
    segments = []
    for path, members in groupby(enumerate(graph.nodes), key=lambda placed: placed[1].path[:depth]):
        places = [place for place, _ in members]
        segments.append(Segment(places[0], places[-1] + 1, again=len(path) == depth and len(places) > 1))
    return tuple(segments)


def square_root(lifetimes: Lifetimes) -> tuple[Segment, ...]:
    """As many segments of like length as the root of the number of layers; the last keeps what it keeps.

    Each ends within half a length of its even place, where the fewest bytes pass on.
    """
    count = len(lifetimes.made)
    length = max(1, isqrt(count))
    passing = list(_crossing(lifetimes))
    ends = [0]
    for even in range(length, count, length):
        near = [end for end in range(even - length // 2, even + (length + 1) // 2) if ends[-1] < end < count]
        if near:
            ends.append(min(near, key=lambda end, even=even: (passing[end], abs(end - even))))  # type: ignore[misc]
    return tuple(Segment(start, stop, stop < count) for start, stop in pairwise([*ends, count]))


def _crossing(lifetimes: Lifetimes) -> Iterator[int]:
    """Bytes of one sample that are made before each place and read from it on."""
    sizes, count = lifetimes.storages.sizes, len(lifetimes.made)
    change = [0] * (count + 1)
    makers = {made: layer for layer, made in enumerate(lifetimes.made) if made is not None}
    for storage, readers in enumerate(lifetimes.readers):
        if readers:
            change[makers.get(storage, -1) + 1] += sizes[storage]
            change[max(readers) + 1] -= sizes[storage]
    live = 0
    for place in range(count):
        live += change[place]
        yield live
