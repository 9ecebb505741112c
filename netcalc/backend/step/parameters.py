"""Where the gradients of the parameters are gathered."""

from collections.abc import Callable, Collection

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.team import Team
from netcalc.graph import Graph, Node


class ParameterGradients:
    """The gradients of all parameters in one array, behind each other.

    In front are those to which each worker adds its samples' part: the others have an array for them,
    too, and all are summed in the end, each worker a share. Behind are those of `joint` layers. A layer
    that uses another's parameters has an array of its own. What the way back does not reach stays zero.
    """

    def __init__(
        self, graph: Graph, joint: Callable[[Node], bool], team: Team, dtype: np.dtype[np.floating]
    ) -> None:
        self._team = team
        nodes = sorted(graph.nodes, key=joint)
        sizes = [(node, sum(param.numel for param in node.params if not param.buffer)) for node in nodes]
        self._summed = sum(size for node, size in sizes if not joint(node))
        self._flat = [np.zeros(sum(size for _, size in sizes), dtype)]
        self._flat += [np.zeros(self._summed, dtype) for _ in range(team.size - 1)]
        self._arrays: dict[str, dict[str, list[Array]]] = {}
        start = 0
        for node, size in sizes:
            holders = self._flat[:1] if joint(node) else self._flat
            self._arrays[node.full_name] = _named(node, [flat[start : start + size] for flat in holders])
            start += size
        self._users: dict[str, list[str]] = {}
        for node in graph.nodes:
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
        """For each parameter of a layer, frozen or not, an array a worker; one for all of a joint layer."""
        return self._arrays[node.full_name]

    def reached(self, layers: Collection[str]) -> None:
        """Take up which layers write their gradients on the way back: a shared one is the sum of theirs."""
        for owner, users in self._users.items():
            writing = [user for user in users if user in layers]
            if writing and writing != [owner]:
                for name, (total, *_) in self._arrays[owner].items():
                    gathered = [self._arrays[user][name][0] for user in writing if name in self._arrays[user]]
                    if gathered:  # a bias that no user has gathers nothing
                        self._joined.append((total, gathered))

    def sum(self, worker: int) -> None:
        """Add up this worker's share of what all have gathered."""
        self._team.join()
        size = self._team.size
        share = slice(self._summed * worker // size, self._summed * (worker + 1) // size)
        for other in self._flat[1:]:
            self._flat[0][share] += other[share]
        if self._joined:
            self._team.join()
            for total, (first, *others) in self._joined if worker == 0 else ():
                np.copyto(total, first)
                for other in others:
                    total += other


def _named(node: Node, flats: list[Array]) -> dict[str, list[Array]]:
    """Views of a layer's stretch, by the names and in the shapes of its parameters."""
    arrays = {}
    start = 0
    for param in node.params:
        if not param.buffer:
            stretch = slice(start, start + param.numel)
            arrays[param.name] = [flat[stretch].reshape(param.shape, copy=False) for flat in flats]
            start += param.numel
    return arrays
