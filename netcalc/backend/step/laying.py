"""Lays a network out: its steps and values forward, and where gradients are on the way back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from netcalc.backend.inputs import token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.step.base import Site, Step, Workshop
from netcalc.backend.step.choice import step_of
from netcalc.backend.step.parameters import ParameterGradients
from netcalc.backend.step.storage import Layout, Pool, Slot, Value

Run = Callable[[int], None]
"""What a worker does, called with its number."""


class Forward:
    """The values of all tensors, and the steps that compute them, in order."""

    def __init__(self, shop: Workshop) -> None:
        graph = shop.network.graph
        readers = {name: len(found) + (name in graph.outputs) for name, found in graph.readers.items()}
        tokens = token_inputs(graph)
        self.values: dict[str, Value] = {}
        for given in graph.inputs:
            layout = Layout(given.type.shape, shop.shares)
            dtype = np.dtype(np.int64) if given.name in tokens else shop.dtype
            buffers = [np.zeros(size, dtype) for size in layout.sizes]
            self.values[given.name] = Value(layout, buffers, readers[given.name])
        kinds = {
            node.full_name: step_of(node, [graph.types[name].shape for name in node.inputs])
            for node in graph.nodes
        }
        self.gradients = ParameterGradients(
            graph, lambda node: kinds[node.full_name].joint, shop.team, shop.dtype
        )
        self.steps: list[Step] = []
        for number, node in enumerate(graph.nodes):
            xs = tuple(self.values[name] for name in node.inputs)
            params, gradients = shop.network.arrays_of(node), self.gradients.of(node)
            site = Site(node, number, xs, params, gradients, readers[node.full_name], shop)
            step = kinds[node.full_name](site)
            self.steps.append(step)
            self.values[node.full_name] = step.y


@dataclass(frozen=True)
class _Addition:
    """The gradient of a tensor that several layers read: what came first, and what comes now."""

    first: list[Array]
    second: list[Array]
    summed: list[Array]

    def backward(self, worker: int) -> None:
        np.add(self.first[worker], self.second[worker], out=self.summed[worker])


class Backward:
    """The way back through the steps, with a buffer for each gradient as long as it lives."""

    def __init__(self, shop: Workshop, forward: Forward, wanted_inputs: Iterable[str]) -> None:
        self._values = forward.values
        self._pool = Pool(shop.zeros)
        self._slots: dict[str, Slot] = {}
        self.runs: list[Run] = []
        graph = shop.network.graph
        wanted = set(wanted_inputs)
        for node in graph.nodes:
            if wanted.intersection(node.inputs) or node.is_trained:
                wanted.add(node.full_name)
        for name in graph.outputs:
            self._slots[name] = self._pool.take(self._values[name].layout)
        self.upstream = self._parts(graph.outputs)
        reached = set()
        for step in reversed(forward.steps):
            node = step.site.node
            slot = self._slots.pop(node.full_name, None)
            if slot is None or node.full_name not in wanted:
                continue
            slots = step.link(slot, [name in wanted for name in node.inputs], self._pool)
            self.runs.append(step.backward)
            reached.add(node.full_name)
            for name, own in zip(node.inputs, slots, strict=True):
                if own is not None:
                    self._add(name, own)
            self._pool.release(slot)
        forward.gradients.reached(reached)
        self.inputs = self._parts(name for name in wanted_inputs if name in self._slots)

    def _parts(self, names: Iterable[str]) -> Mapping[str, list[Array]]:
        return {name: self._values[name].layout.parts(self._slots[name].buffers) for name in names}

    def _add(self, name: str, second: Slot) -> None:
        first = self._slots.get(name)
        if first is None:
            self._slots[name] = second
            return
        layout = self._values[name].layout
        alone = [slot for slot in (first, second) if slot.users == 1]
        summed = alone[0] if alone else self._pool.take(layout)
        self.runs.append(
            _Addition(*(layout.parts(slot.buffers) for slot in (first, second, summed))).backward
        )
        for slot in (first, second):
            if slot is not summed:
                self._pool.release(slot)
        self._slots[name] = summed
