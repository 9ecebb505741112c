"""Inference's peak and the order that lowers it, against a replay that knows only the definition."""

import random
from collections.abc import Iterator, Sequence

import pytest

from netcalc import load
from netcalc.analysis import ordering
from netcalc.analysis.aliasing import Aliasing
from netcalc.analysis.allocations import Bytes
from netcalc.analysis.lifetimes import Lifetimes
from netcalc.analysis.memory import inference
from netcalc.analysis.ordering import best_order
from netcalc.graph import Graph, Node
from netcalc.spec import bundled_names

from helpers import graph_of
from random_graphs import wired_graph

ITEMSIZE = 4


KINDS = ("linear", "linear", "concat", "relu", "flatten", "slice", "dropout", "softmax")


def random_graph(choose: random.Random, most: int) -> Graph:
    """Linear layers, joins, views and layers that work in place, on vectors, wired at random."""
    return wired_graph(choose.randrange(2**32), KINDS, most)


class Naive:
    """Lifetimes by the definition: each step's live set is found from nothing."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.makers = {node.name: node for node in graph.nodes}
        self.uses = [*graph.outputs, *(name for node in graph.nodes for name in node.inputs)]

    def root(self, name: str) -> str:
        """The tensor whose memory this one lies in."""
        node = self.makers.get(name)
        if node is None:
            return name
        is_view = node.layer.kind in ("flatten", "slice", "dropout")
        if is_view or (node.layer.kind == "relu" and self.is_alone(node.inputs[0])):
            return self.root(node.inputs[0])
        return name

    def is_alone(self, name: str) -> bool:
        """Whether the memory of a tensor, no input of the network, is seen by one reader alone."""
        if name not in self.makers or self.uses.count(name) != 1 or name in self.graph.outputs:
            return False
        node = self.makers[name]
        return node.layer.kind not in ("flatten", "slice", "dropout") or self.is_alone(node.inputs[0])

    def live(self, ran: Sequence[Node], now: Node, ahead: Sequence[Node]) -> int:
        """Bytes while a layer runs: what it makes, what it or a later one reads, what the user wants."""
        wanted = {self.root(name) for node in (now, *ahead) for name in node.inputs}
        wanted |= {self.root(name) for name in self.graph.outputs}
        there = {self.root(given.name) for given in self.graph.inputs} | {
            self.root(node.name) for node in ran
        }
        alive = (wanted & there) | {self.root(now.name)}
        types = self.graph.types
        return sum(types[name].numel * ITEMSIZE for name in alive)

    def replay(self, order: Sequence[Node]) -> list[int]:
        return [self.live(order[:at], node, order[at + 1 :]) for at, node in enumerate(order)]

    def orders(self, ran: tuple[Node, ...] = ()) -> Iterator[tuple[Node, ...]]:
        """Every order in which the layers can run."""
        names = {*(given.name for given in self.graph.inputs), *(node.name for node in ran)}
        ready = [node for node in self.graph.nodes if node not in ran and set(node.inputs) <= names]
        if not ready:
            yield ran
        for node in ready:
            yield from self.orders((*ran, node))


def most(live: Sequence[tuple[int, Bytes]]) -> int:
    """The most bytes of one sample."""
    return max(bytes.per_sample for _, bytes in live)


def lifetimes_of(graph: Graph) -> Lifetimes:
    return Lifetimes(Aliasing(graph, ITEMSIZE))


@pytest.mark.parametrize("seed", range(10))
def test_the_replay_is_the_definition_on_random_graphs(seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(100):
        graph = random_graph(choose, 16)
        naive, lifetimes = Naive(graph), lifetimes_of(graph)
        orders = [tuple(range(len(graph.nodes))), best_order(lifetimes).order]
        for order in orders:
            live = [bytes.per_sample for _, bytes in lifetimes.live_bytes(order)]
            assert live == naive.replay([graph.nodes[place] for place in order])


@pytest.mark.parametrize("seed", range(10))
def test_the_best_order_is_the_best_of_all(seed: int) -> None:
    choose = random.Random(1000 + seed)
    lower = 0
    for _ in range(30):
        graph = random_graph(choose, 7)
        found = inference(graph)
        assert found.ordering.how == "optimal"
        assert sorted(found.ordering.order) == list(range(len(graph.nodes)))
        naive = Naive(graph)
        best = min(max(naive.replay(order)) for order in naive.orders())
        assert most(found.best_live) == best
        lower += best < most(found.live)
    assert lower > 0


def test_the_narrow_search_finds_an_order_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = random.Random(5)
    graphs = [random_graph(choose, 14) for _ in range(100)]
    best = [most(inference(graph).best_live) for graph in graphs]
    monkeypatch.setattr(ordering, "MAX_VISITS", 0)
    for graph, least in zip(graphs, best, strict=True):
        found = inference(graph)
        done = {given.name for given in graph.inputs}
        for place in found.ordering.order:
            assert set(graph.nodes[place].inputs) <= done
            done.add(graph.nodes[place].name)
        assert least <= most(found.best_live) <= most(found.live)
    assert {inference(graph).ordering.how for graph in graphs} == {"optimal", "heuristic"}


def test_the_order_of_every_bundled_network_is_known_to_be_the_best() -> None:
    assert {name for name in bundled_names() if inference(load(name)).ordering.how != "optimal"} == set()


def test_a_large_part_stays_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "MAX_LAYERS", 3)
    found = inference(load("googlenet"))
    assert found.ordering.how == "as written"
    assert found.ordering.order == tuple(range(len(found.graph.nodes)))


def test_known_peaks() -> None:
    chain = "input: [10]\nlayers:\n  - linear: {units: 100}\n  - relu\n  - reshape: {shape: [10, 10]}\n  - linear: {units: 1}\n"
    found = inference(graph_of(chain))
    assert [live.per_sample for _, live in found.live] == [440, 400, 400, 440]
    assert found.peak(3) == found.weights + 3 * 440
    assert found.peak_layer(3).full_name == "linear1"
    copied = chain.replace(
        "- relu\n  - reshape: {shape: [10, 10]}",
        "- reshape: {shape: [10, 10]}\n  - permute: {order: [1, 0]}\n  - flatten",
    )
    assert [live.per_sample for _, live in inference(graph_of(copied)).live] == [440, 400, 400, 800, 404]
