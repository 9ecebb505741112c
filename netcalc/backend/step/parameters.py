"""The gradients of the parameters, summed over the workers."""

from collections.abc import Callable, Collection

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import aligned_zeros
from netcalc.backend.workers import Share, Workers
from netcalc.graph import Graph, Node


class ParameterGradients:
    """The gradients of all parameters in one flat array.

    First come those that each worker computes from its own samples: every worker has an array for them,
    and these are summed in the end, each worker a share. Then come those of `joint` layers. A layer that
    shares another's parameters has gradients of its own. Gradients that the backward pass does not reach
    stay zero. Frozen layers write into arrays that they share, which nobody reads.
    """

    def __init__(
        self,
        graph: Graph,
        active: Collection[str],
        joint: Callable[[Node], bool],
        workers: Workers,
        dtype: np.dtype[np.floating],
    ) -> None:
        self._workers = workers
        nodes = sorted((node for node in graph.nodes if node.is_trained), key=joint)
        sizes = [(node, _learned(node)) for node in nodes]
        self._summed = sum(size for node, size in sizes if not joint(node))
        self._flat = [aligned_zeros(sum(size for _, size in sizes), dtype)]
        self._flat += [aligned_zeros(self._summed, dtype) for _ in range(workers.size - 1)]
        frozen = [node for node in graph.nodes if node.full_name in active and node.is_frozen]
        unread = [aligned_zeros(max(map(_learned, frozen), default=0), dtype) for _ in range(workers.size)]
        self._arrays = {
            node.full_name: _named(node, unread[:1] if joint(node) else unread) for node in frozen
        }
        start = 0
        for node, size in sizes:
            holders = self._flat[:1] if joint(node) else self._flat
            self._arrays[node.full_name] = _named(node, [flat[start : start + size] for flat in holders])
            start += size
        self._users: dict[str, list[str]] = {}
        for node in graph.nodes:
            if node.is_trained:
                self._users.setdefault(node.shared or node.full_name, []).append(node.full_name)
        self._joined: list[tuple[Array, list[Array]]] = []
        self.named = {
            f"{node.full_name}.{param.name}": self._arrays[node.full_name][param.name][0]
            for node in graph.nodes
            if node.shared is None
            for param in node.params
            if param.trainable
        }

    def of(self, node: Node) -> dict[str, list[Array]]:
        """For each parameter of a layer an array a worker, or one if it is joint; none without a backward."""
        return self._arrays.get(node.full_name, {})

    def reached(self, layers: Collection[str]) -> None:
        """Set which layers the backward pass reaches. A shared parameter's gradient is the sum of theirs."""
        for owner, users in self._users.items():
            writing = [self._arrays[user] for user in users if user in layers]
            for name, (total, *_) in self._arrays[owner].items():
                parts = [own[name][0] for own in writing if name in own]  # one may leave out the bias
                if (parts and parts[0] is not total) or len(parts) > 1:
                    self._joined.append((total, parts))

    def sum(self, worker: int) -> None:
        """Sum this worker's share of the gradients of all workers."""
        self._workers.barrier(worker)
        share = Share(worker, self._workers.size).of(self._summed)
        for other in self._flat[1:]:
            self._flat[0][share] += other[share]
        if self._joined:
            self._workers.barrier(worker)
            for total, (first, *others) in self._joined if worker == 0 else ():
                np.copyto(total, first)
                for other in others:
                    total += other


def _learned(node: Node) -> int:
    """The elements of a layer's parameters, running statistics left out."""
    return sum(param.numel for param in node.params if not param.buffer)


def _named(node: Node, flats: list[Array]) -> dict[str, list[Array]]:
    """Views of a layer's part of the flat arrays, by the names and in the shapes of its parameters."""
    arrays = {}
    start = 0
    for param in node.params:
        if not param.buffer:
            part = slice(start, start + param.numel)
            arrays[param.name] = [flat[part].reshape(param.shape, copy=False) for flat in flats]
            start += param.numel
    return arrays
