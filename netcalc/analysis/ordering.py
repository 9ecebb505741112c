"""The order of a graph's layers that needs the least memory.

The graph is cut at every layer that all layers before lead to and all layers after depend on: the parts
can be ordered independently. Within a part the best order is a shortest path over the sets of layers that
have run, where the length of a path is its peak memory. A part with too many such sets is left to a beam
search; a still larger one keeps its order.
"""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Literal, NamedTuple

from netcalc.analysis.lifetimes import Lifetimes

MAX_VISITS = 2_000_000
"""The exact search stops after this many sets times layers of a part."""
MAX_LAYERS = 500
"""The largest part that is searched."""
BEAM_WIDTH = 16
"""How many sets the beam search keeps after each layer."""

Optimality = Literal["optimal", "heuristic", "as written"]


class Ordering(NamedTuple):
    """An order of layers by their places in the graph, and whether it is optimal."""

    order: tuple[int, ...]
    how: Optimality


def best_order(lifetimes: Lifetimes) -> Ordering:
    """The order of least peak memory that is found; that of the graph where none is better."""
    original = tuple(range(len(lifetimes.written)))
    order, results = list[int](), set[Optimality]()
    for layers in _parts(lifetimes):
        best, how = _Part(lifetimes, layers).best()
        order += best
        results.add(how)
    how = next((result for result in ("as written", "heuristic") if result in results), "optimal")
    is_better = _peak(lifetimes, order) < _peak(lifetimes, original)
    return Ordering(tuple(order) if is_better else original, how)


def _peak(lifetimes: Lifetimes, order: Sequence[int]) -> int:
    """Peak memory with one sample."""
    return max((live.at(1) for _, live in lifetimes.live_bytes(order)), default=0)


def _parts(lifetimes: Lifetimes) -> Iterator[range]:
    """Runs of layers that each end with one that all layers before lead to and all after depend on."""
    count = len(lifetimes.written)
    first_reader = [count] * count
    for layer, sources in enumerate(lifetimes.predecessors):
        for source in sources:
            first_reader[source] = min(first_reader[source], layer)
    last_source = [max(sources, default=-1) for sources in lifetimes.predecessors]
    depends_from = [count] * (count + 1)  # the least last source of all layers from here
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
    """A set of layers that have run: the peak memory of the path to it, and the live memory after it."""

    peak: int
    left: int
    """Layers that have not run: of two equal peaks the state nearer the end is expanded first."""
    ran: int
    """The set as a bit mask."""
    live: int


class _Part:
    """The layers of one part, with their dependencies as bit masks."""

    def __init__(self, lifetimes: Lifetimes, layers: range) -> None:
        self.layers = layers
        self.all = (1 << len(layers)) - 1
        self.predecessors = [self._bits(lifetimes.predecessors[layer]) for layer in layers]
        sizes = lifetimes.aliasing.sizes
        self.written = [
            0 if (storage := lifetimes.written[layer]) is None else sizes[storage] for layer in layers
        ]
        self.operators = [lifetimes.operators[layer] for layer in layers]
        self.last_reads: list[list[tuple[int, int, int]]] = []
        """For each layer the storages that it may be the last to read: all readers, bytes, number."""
        for layer in layers:
            last_reads = []
            written = lifetimes.written[layer]
            for storage in {*lifetimes.read[layer], *(() if written is None else (written,))}:
                readers = lifetimes.readers[storage]
                if storage not in lifetimes.outputs and max(readers, default=layer) < layers.stop:
                    last_reads.append((self._bits(readers), sizes[storage], storage))
            self.last_reads.append(last_reads)

    def best(self) -> tuple[Sequence[int], Optimality]:
        """The order of least peak memory; the original one where the part is too large."""
        if len(self.layers) == 1:
            return self.layers, "optimal"
        if len(self.layers) > MAX_LAYERS:
            return self.layers, "as written"
        exact = self._shortest_path()
        return (exact, "optimal") if exact is not None else (self._beam_search(), "heuristic")

    def _bits(self, layers: Sequence[int] | frozenset[int]) -> int:
        """The bit mask of a set of layers, without those before this part."""
        return sum(1 << (layer - self.layers.start) for layer in layers if layer >= self.layers.start)

    def _next(self, state: _State) -> Iterator[tuple[int, _State]]:
        """The layers that can run next, with the state after each; only one that costs no memory, if any."""
        transitions = []
        for place, predecessors in enumerate(self.predecessors):
            if state.ran >> place & 1 or predecessors & ~state.ran:
                continue
            ran = state.ran | 1 << place
            freed = {storage: size for readers, size, storage in self.last_reads[place] if not readers & ~ran}
            peak = state.live + max(
                own.at(1) - sum(freed.get(storage, 0) for storage in dead)
                for own, dead in self.operators[place]
            )
            live = state.live + self.written[place] - sum(freed.values())
            after = _State(max(state.peak, peak), state.left - 1, ran, live)
            if peak <= state.peak and after.live <= state.live:
                yield place, after
                return
            transitions.append((place, after))
        yield from transitions

    @property
    def _start(self) -> _State:
        return _State(0, len(self.layers), 0, 0)

    def _shortest_path(self) -> list[int] | None:
        """The order of least peak memory; None where there are too many sets to search."""
        arrived: dict[int, tuple[int, int]] = {}
        queue, done = [self._start], set[int]()
        while queue:
            state = heappop(queue)
            if state.ran == self.all:
                return self._path(arrived)
            if state.ran in done:
                continue
            done.add(state.ran)
            if len(done) * len(self.layers) > MAX_VISITS:
                return None
            for place, after in self._next(state):
                if after.ran not in arrived or after.peak < arrived[after.ran][0]:
                    arrived[after.ran] = after.peak, place
                    heappush(queue, after)
        raise AssertionError("every part has an order")

    def _beam_search(self) -> list[int]:
        """An order of low peak memory, from the BEAM_WIDTH best sets after each layer."""
        arrived: dict[int, tuple[int, int]] = {}
        beam = [self._start]
        for _ in self.layers:
            found: dict[int, _State] = {}
            for state in beam:
                for place, after in self._next(state):
                    if after.ran not in found or after < found[after.ran]:
                        found[after.ran] = after
                        arrived[after.ran] = after.peak, place
            beam = sorted(found.values(), key=lambda state: (state.peak, state.live, state.ran))[:BEAM_WIDTH]
        return self._path(arrived)

    def _path(self, arrived: dict[int, tuple[int, int]]) -> list[int]:
        """The layers on the path to the full set, from the first."""
        ran, order = self.all, list[int]()
        while ran:
            _, place = arrived[ran]
            order.append(self.layers.start + place)
            ran &= ~(1 << place)
        return order[::-1]
