"""Where the gradients of the parameters are gathered."""

from collections.abc import Callable

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.team import Team
from netcalc.graph import Graph, Node


class ParameterGradients:
    """The gradients of all parameters in one array, behind each other.

    In front are those to which each worker adds its samples' part: the others have an array for them,
    too, and all are summed in the end, each worker a share. Behind are those of `joint` layers. A layer
    that uses another's parameters has an array of its own, which is added to the owner's.
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
        self._shared = [
            (self._arrays[node.shared][name][0], arrays[0])
            for node in nodes
            if node.shared is not None
            for name, arrays in self._arrays[node.full_name].items()
        ]
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

    def sum(self, worker: int) -> None:
        """Add up this worker's share of what all have gathered."""
        self._team.join()
        size = self._team.size
        share = slice(self._summed * worker // size, self._summed * (worker + 1) // size)
        for other in self._flat[1:]:
            self._flat[0][share] += other[share]
        if self._shared:
            self._team.join()
            for owner, use in self._shared if worker == 0 else ():
                owner += use


def _named(node: Node, flats: list[Array]) -> dict[str, list[Array]]:
    """Views of a layer's stretch, by the names and in the shapes of its parameters."""
    arrays = {}
    start = 0
    for param in node.params:
        if not param.buffer:
            stretch = slice(start, start + param.numel)
            arrays[param.name] = [flat[stretch].reshape(param.shape) for flat in flats]
            start += param.numel
    return arrays
