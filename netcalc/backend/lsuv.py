"""Layer-sequential unit variance: weights scaled, layer after layer, to outputs of variance 1 on a batch."""

from typing import TYPE_CHECKING

import numpy as np

from netcalc.backend.inputs import Given, checked_inputs, random_inputs
from netcalc.backend.kernels.base import Array, Context
from netcalc.backend.memory import forward_bytes, require_memory
from netcalc.graph import Graph, Node
from netcalc.layers.initialisation import role

if TYPE_CHECKING:
    from netcalc.backend.network import Network

BATCH = 16
"""The standard normal samples that a network is scaled to unless it is given others."""


def begins_by_lsuv(graph: Graph, node: Node) -> bool:
    """Whether a layer's weights are scaled to a batch: a convolution or linear layer that begins by lsuv."""
    return (node.init or graph.init) == "lsuv" and node.shared is None and node.layer.weighted


def scale_to_batch(network: "Network", x: Given | None = None) -> None:
    """Scale the layers that begin by lsuv to a batch, as in training (Mishkin and Matas 2015).

    Their biases are zero, so that one division of the weights by the output's deviation gives variance 1:
    what the paper repeats until it does. An output that is zero throughout is left as it is.
    """
    graph = network.graph
    if not any(begins_by_lsuv(graph, node) for node in graph.nodes):
        return
    given = random_inputs(graph, BATCH, network.seed, network.precision.name) if x is None else x
    tensors = checked_inputs(graph, given, network.precision)
    batch = len(next(iter(tensors.values())))
    needed = forward_bytes(graph, batch, network.dtype.itemsize, saving=())
    require_memory(needed, f"the tensors of {graph.name} at batch {batch}")
    buffers = {name: array.copy() for name, array in network.parameters().items() if "running_" in name}
    last = {name: number for number, node in enumerate(graph.nodes) for name in node.inputs}
    with np.errstate(all="ignore"):
        for number, node in enumerate(graph.nodes):
            rng = np.random.default_rng([network.seed, 0, number])
            y, _ = network.apply(node, tuple(map(tensors.__getitem__, node.inputs)), Context(True, rng))
            std = float(y.std(dtype=np.float64)) if begins_by_lsuv(graph, node) else 0.0
            if std > 0 and np.isfinite(std):
                _divide(network, node, std)
                y = network.precision.rounded(y / std)
            tensors[node.full_name] = y
            for name in node.inputs:
                if last[name] == number:
                    tensors.pop(name, None)
    for name, array in buffers.items():
        network.parameters()[name][...] = array


def _divide(network: "Network", node: Node, std: float) -> None:
    arrays = network.arrays_of(node)
    for param in node.params:
        if role(param) == "weight":
            array: Array = arrays[param.name]
            array[...] = network.precision.rounded((array / std).astype(array.dtype))
