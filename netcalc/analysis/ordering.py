"""The order of a graph's layers that needs the least memory.

The graph is cut where everything before a layer leads to it and everything behind depends on it: the parts
do not see each other's order. In a part the least peak is that of a shortest path over the sets of layers
that have run, the length of a path being the largest figure on it. A part with too many sets is left to a
search that keeps the few best ones, one far larger stays in the order in which it is written.
"""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Literal, NamedTuple

from netcalc.analysis.lifetimes import Lifetimes

MOST_LOOKS = 2_000_000
"""How often a layer of a part is looked at, over all sets, before the search becomes a narrow one."""
MOST_LAYERS = 500
"""The largest part that is searched at all."""
BEAM = 16
"""How many sets the narrow search keeps after each layer."""

How = Literal["optimal", "heuristic", "as written"]


class Ordering(NamedTuple):
    """An order of layers by their places in the graph, and whether it is known to be the best."""

    order: tuple[int, ...]
    how: How


def best_order(lifetimes: Lifetimes) -> Ordering:
    """The order of least peak that was found; the written one where none is lower."""
    written = tuple(range(len(lifetimes.made)))
    order, ways = list[int](), set[How]()
    for layers in _parts(lifetimes):
        found, how = _Part(lifetimes, layers).best()
        order += found
        ways.add(how)
    how = next((way for way in ("as written", "heuristic") if way in ways), "optimal")
    lower = _peak(lifetimes, order) < _peak(lifetimes, written)
    return Ordering(tuple(order) if lower else written, how)


def _peak(lifetimes: Lifetimes, order: Sequence[int]) -> int:
    """The most that lives with one sample."""
    return max((live.at(1) for _, live in lifetimes.replay(order)), default=0)


def _parts(lifetimes: Lifetimes) -> Iterator[range]:
    """Runs of layers that each end with one that all before lead to and all behind depend on."""
    count = len(lifetimes.made)
    first_reader = [count] * count
    for layer, sources in enumerate(lifetimes.before):
        for source in sources:
            first_reader[source] = min(first_reader[source], layer)
    last_source = [max(sources, default=-1) for sources in lifetimes.before]
    depends_from = [count] * (count + 1)  # the least last source of all layers from here on
    for layer in range(count - 1, -1, -1):
        depends_from[layer] = min(depends_from[layer + 1], last_source[layer])
    start = leads_to = 0
    for layer in range(count):
        if leads_to <= layer <= depends_from[layer + 1]:
            yield range(start, layer + 1)
            start = layer + 1
        leads_to = max(leads_to, first_reader[layer])
    if start < count:
        yield range(start, count)


class _State(NamedTuple):
    """A set of layers that have run: what it took to come here, and what lives behind it."""

    peak: int
    left: int
    """Layers still to run: of two equal peaks the one nearer the end goes first."""
    ran: int
    """The set, a bit a layer."""
    live: int


class _Part:
    """The layers of one part, and the memory that they make and read, by bits."""

    def __init__(self, lifetimes: Lifetimes, layers: range) -> None:
        self.layers = layers
        self.all = (1 << len(layers)) - 1
        self.before = [self._bits(lifetimes.before[layer]) for layer in layers]
        sizes = lifetimes.storages.sizes
        self.made = [0 if (made := lifetimes.made[layer]) is None else sizes[made] for layer in layers]
        self.moments = [lifetimes.moments[layer] for layer in layers]
        self.dies: list[list[tuple[int, int, int]]] = []
        """For each layer what it can be the last to read: the readers, the bytes, the storage."""
        for layer in layers:
            ends = []
            made = lifetimes.made[layer]
            for storage in {*lifetimes.read[layer], *(() if made is None else (made,))}:
                readers = lifetimes.readers[storage]
                if storage not in lifetimes.outputs and max(readers, default=layer) < layers.stop:
                    ends.append((self._bits(readers), sizes[storage], storage))
            self.dies.append(ends)

    def best(self) -> tuple[Sequence[int], How]:
        """The order of least peak; the written one where the part is too large."""
        if len(self.layers) == 1:
            return self.layers, "optimal"
        if len(self.layers) > MOST_LAYERS:
            return self.layers, "as written"
        exact = self._shortest()
        return (exact, "optimal") if exact is not None else (self._narrow(), "heuristic")

    def _bits(self, layers: Sequence[int] | frozenset[int]) -> int:
        """A set of layers, those before this part left out."""
        return sum(1 << (layer - self.layers.start) for layer in layers if layer >= self.layers.start)

    def _next(self, state: _State) -> Iterator[tuple[int, _State]]:
        """What can run, and where that leads; alone what costs nothing, since nothing is lost by it."""
        steps = []
        for place, before in enumerate(self.before):
            if state.ran >> place & 1 or before & ~state.ran:
                continue
            ran = state.ran | 1 << place
            dying = {storage: size for readers, size, storage in self.dies[place] if not readers & ~ran}
            high = state.live + max(
                own.at(1) - sum(dying.get(storage, 0) for storage in done)
                for own, done in self.moments[place]
            )
            left = state.live + self.made[place] - sum(dying.values())
            after = _State(max(state.peak, high), state.left - 1, ran, left)
            if high <= state.peak and after.live <= state.live:
                yield place, after
                return
            steps.append((place, after))
        yield from steps

    @property
    def _start(self) -> _State:
        return _State(0, len(self.layers), 0, 0)

    def _shortest(self) -> list[int] | None:
        """The order of least peak; None where there are too many sets to know."""
        came: dict[int, tuple[int, int]] = {}
        queue, done = [self._start], set[int]()
        while queue:
            state = heappop(queue)
            if state.ran == self.all:
                return self._way(came)
            if state.ran in done:
                continue
            done.add(state.ran)
            if len(done) * len(self.layers) > MOST_LOOKS:
                return None
            for place, after in self._next(state):
                if after.ran not in came or after.peak < came[after.ran][0]:
                    came[after.ran] = after.peak, place
                    heappush(queue, after)
        raise AssertionError("every part has an order")

    def _narrow(self) -> list[int]:
        """An order of low peak, from the few best sets after each layer."""
        came: dict[int, tuple[int, int]] = {}
        beam = [self._start]
        for _ in self.layers:
            found: dict[int, _State] = {}
            for state in beam:
                for place, after in self._next(state):
                    if after.ran not in found or after < found[after.ran]:
                        found[after.ran] = after
                        came[after.ran] = after.peak, place
            beam = sorted(found.values(), key=lambda state: (state.peak, state.live, state.ran))[:BEAM]
        return self._way(came)

    def _way(self, came: dict[int, tuple[int, int]]) -> list[int]:
        """The layers that led to all having run, from the first on."""
        ran, order = self.all, list[int]()
        while ran:
            _, place = came[ran]
            order.append(self.layers.start + place)
            ran &= ~(1 << place)
        return order[::-1]
