"""Lifetimes of storages: when each is allocated and freed, as layers run in some order.

An output lives from its layer to its last reader, an input of the network from the start, an output of the
network to the end. While an operator runs, both what it reads and what it writes are live.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from netcalc.analysis.aliasing import Aliasing
from netcalc.analysis.allocations import Bytes
from netcalc.analysis.moments import Moment, forward_moments
from netcalc.analysis.precision import PrecisionPolicy


class OperatorMemory(NamedTuple):
    """Memory while one operator of a layer runs."""

    own: Bytes
    """What the layer itself has allocated: intermediate results, and its output once it exists."""
    dead: frozenset[int]
    """The storages that the layer reads, but neither in this operator nor in a later one."""


@dataclass(frozen=True)
class Lifetimes:
    """What each layer writes and reads: layers by their place in the graph, storages by their number."""

    aliasing: Aliasing

    @cached_property
    def written(self) -> tuple[int | None, ...]:
        """The storage that each layer allocates for its output; None for views and in-place layers."""
        storage = len(self.aliasing.graph.inputs)
        written = list[int | None]()
        for node in self.aliasing.graph.nodes:
            is_new = self.aliasing.storage_of[node.full_name] == storage
            written.append(storage if is_new else None)
            storage += is_new
        return tuple(written)

    @cached_property
    def read(self) -> tuple[frozenset[int], ...]:
        """The storages that each layer reads."""
        storage_of = self.aliasing.storage_of
        return tuple(
            frozenset(storage_of[name] for name in node.inputs) for node in self.aliasing.graph.nodes
        )

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """The layers that read each storage."""
        readers: list[list[int]] = [[] for _ in self.aliasing.sizes]
        for layer, read in enumerate(self.read):
            for storage in read:
                readers[storage].append(layer)
        return tuple(map(tuple, readers))

    @cached_property
    def operators(self) -> tuple[tuple[OperatorMemory, ...], ...]:
        """The memory of each operator of each layer."""
        return tuple(tuple(self._operators(layer)) for layer in range(len(self.written)))

    @cached_property
    def outputs(self) -> frozenset[int]:
        """The storages of the network's outputs."""
        return frozenset(self.aliasing.storage_of[name] for name in self.aliasing.graph.outputs)

    @cached_property
    def predecessors(self) -> tuple[frozenset[int], ...]:
        """The layers whose outputs each layer reads."""
        nodes = self.aliasing.graph.nodes
        places = {node.full_name: place for place, node in enumerate(nodes)}
        return tuple(frozenset(places[name] for name in node.inputs if name in places) for node in nodes)

    def input_bytes(self) -> int:
        """Bytes of one sample's inputs, without those that nothing reads."""
        storages = {self.aliasing.storage_of[given.name] for given in self.aliasing.graph.inputs}
        return sum(self.aliasing.sizes[storage] for storage in storages if self._is_read(storage))

    def live_bytes(self, order: Sequence[int]) -> Iterator[tuple[int, Bytes]]:
        """The live memory during each operator, with its layer, where layers run in an order."""
        remaining = [len(readers) + (number in self.outputs) for number, readers in enumerate(self.readers)]
        sizes, live = self.aliasing.sizes, self.input_bytes()
        for layer in order:
            for own, dead in self.operators[layer]:
                freed = sum(sizes[storage] for storage in dead if remaining[storage] == 1)
                yield layer, own.plus(Bytes(per_sample=live - freed))
            written = self.written[layer]
            live += 0 if written is None else sizes[written]
            for storage in self.read[layer]:
                remaining[storage] -= 1
                live -= 0 if remaining[storage] else sizes[storage]
            if written is not None and not remaining[written]:
                live -= sizes[written]

    def _operators(self, layer: int) -> Iterator[OperatorMemory]:
        node, written = self.aliasing.graph.nodes[layer], self.written[layer]
        size = 0 if written is None else self.aliasing.sizes[written]
        operators = node.layer.operators(self.aliasing.graph.input_types(node), node.output)
        precision = PrecisionPolicy(self.aliasing.itemsize)
        for moment in (Moment(),) if operators is None or written is None else forward_moments(operators):
            per_sample = precision.extra_bytes(moment.each) + moment.output * size
            own = Bytes(precision.extra_bytes(moment.once), per_sample)
            if moment.inputs is None:
                yield OperatorMemory(own, frozenset())
            else:
                live = {self.aliasing.storage_of[node.inputs[position]] for position in moment.inputs}
                yield OperatorMemory(own, self.read[layer] - live)

    def _is_read(self, storage: int) -> bool:
        return bool(self.readers[storage]) or storage in self.outputs
