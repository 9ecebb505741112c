"""When the memory of each tensor is taken and given back, as layers run in some order.

An output lives from its making to its last reader, an input of the network from the start, an output of the
network to the end. While an operator of a layer runs, what it reads and what it makes both live.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from netcalc.analysis.aliasing import Aliasing
from netcalc.analysis.ledger import Bytes
from netcalc.analysis.precision import PrecisionPolicy
from netcalc.layers.inside import Moment


class Taken(NamedTuple):
    """What a layer itself takes at a moment of its run, and what it no longer needs of what it reads."""

    own: Bytes
    """Its output, if it is there, and what lives inside."""
    done: frozenset[int]
    """The storages that neither this operator nor a later one of the layer reads."""


@dataclass(frozen=True)
class Lifetimes:
    """What each layer makes and reads: layers by their place in the graph, storages by their number."""

    storages: Aliasing

    @cached_property
    def made(self) -> tuple[int | None, ...]:
        """The storage that each layer makes; None where it works in place or gives a view."""
        given = len(self.storages.graph.inputs)
        number, made = given, list[int | None]()
        for node in self.storages.graph.nodes:
            makes = self.storages.of[node.full_name] == number
            made.append(number if makes else None)
            number += makes
        return tuple(made)

    @cached_property
    def read(self) -> tuple[frozenset[int], ...]:
        """The storages that each layer reads."""
        of = self.storages.of
        return tuple(frozenset(of[name] for name in node.inputs) for node in self.storages.graph.nodes)

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """The layers that read each storage."""
        readers: list[list[int]] = [[] for _ in self.storages.sizes]
        for layer, read in enumerate(self.read):
            for storage in read:
                readers[storage].append(layer)
        return tuple(map(tuple, readers))

    @cached_property
    def moments(self) -> tuple[tuple[Taken, ...], ...]:
        """The moments of each layer's run, operator by operator."""
        return tuple(tuple(self._moments(layer)) for layer in range(len(self.made)))

    @cached_property
    def outputs(self) -> frozenset[int]:
        """The storages of the network's outputs."""
        return frozenset(self.storages.of[name] for name in self.storages.graph.outputs)

    @cached_property
    def before(self) -> tuple[frozenset[int], ...]:
        """The layers that each layer reads."""
        places = {node.full_name: place for place, node in enumerate(self.storages.graph.nodes)}
        nodes = self.storages.graph.nodes
        return tuple(frozenset(places[name] for name in node.inputs if name in places) for node in nodes)

    def given_bytes(self) -> int:
        """Bytes of one sample's inputs."""
        given = {self.storages.of[given.name] for given in self.storages.graph.inputs}
        return sum(self.storages.sizes[storage] for storage in given if self._lives(storage))

    def replay(self, order: Sequence[int]) -> Iterator[tuple[int, Bytes]]:
        """Each layer of an order with what lives while it runs, moment by moment."""
        left = [len(readers) + (number in self.outputs) for number, readers in enumerate(self.readers)]
        sizes, live = self.storages.sizes, self.given_bytes()
        for layer in order:
            for own, done in self.moments[layer]:
                gone = sum(sizes[storage] for storage in done if left[storage] == 1)
                yield layer, own.plus(Bytes(each=live - gone))
            made = self.made[layer]
            live += 0 if made is None else sizes[made]
            for storage in self.read[layer]:
                left[storage] -= 1
                live -= 0 if left[storage] else sizes[storage]
            if made is not None and not left[made]:
                live -= sizes[made]

    def _moments(self, layer: int) -> Iterator[Taken]:
        node, made = self.storages.graph.nodes[layer], self.made[layer]
        size = 0 if made is None else self.storages.sizes[made]
        inside = node.layer.inside(self.storages.graph.input_types(node), node.output)
        precision = PrecisionPolicy(self.storages.itemsize)
        for moment in (Moment(),) if inside is None or made is None else inside.moments():
            each = precision.extra_bytes(moment.each) + moment.output * size
            own = Bytes(precision.extra_bytes(moment.once), each)
            if moment.inputs is None:
                yield Taken(own, frozenset())
            else:
                still = {self.storages.of[node.inputs[position]] for position in moment.inputs}
                yield Taken(own, self.read[layer] - still)

    def _lives(self, storage: int) -> bool:
        return bool(self.readers[storage]) or storage in self.outputs
