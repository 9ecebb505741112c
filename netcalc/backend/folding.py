"""Batch norms folded into the layer before, which then computes both at once.

In inference a batch norm is y = s (x - mean) + shift with s = scale / sqrt(variance + eps), channel by
channel. After a layer that is linear in its weights that is the same layer with weights W s and bias
(b - mean) s + shift (Ioffe and Szegedy 2015; Jacob et al. 2018, section 3.2).
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.precision import PRECISIONS
from netcalc.graph import Graph, Node
from netcalc.layers import ParamSpec
from netcalc.layers.convolution import ConvTranspose
from netcalc.layers.normalisation import BatchNorm


class Folded(NamedTuple):
    """A graph without the batch norms that could be folded, its arrays by full name, and what went where."""

    graph: Graph
    arrays: dict[str, Array]
    into: dict[str, str]
    """The full names of batch norms, each with that of the layer it is part of now."""


def fold(graph: Graph, arrays: Arrays) -> Folded:
    """Fold every batch norm that alone reads a convolution or a linear layer; `arrays` by full name.

    What is folded is computed in float64 and rounded to the type of the weight that it was. Raises
    ExecutionError where that type does not hold it.

    One stays that has other layers before it, that reads a network's output or a tensor that others
    read too, or that has no running statistics. The inputs are left as they are.
    """
    into = foldable(graph)
    owners = {owner: norm for norm, owner in into.items()}
    nodes, folded_arrays = [], dict(arrays)
    for node in graph.nodes:
        if node.full_name in into:
            continue
        if node.full_name in owners:
            norm = graph.node(owners[node.full_name])
            node, folded = _folded(node, norm, arrays)
            folded_arrays |= folded
            for param in norm.params:
                del folded_arrays[f"{norm.full_name}.{param.name}"]
        nodes.append(node._replace(inputs=tuple(into.get(name, name) for name in node.inputs)))
    outputs = tuple(into.get(name, name) for name in graph.outputs)
    return Folded(replace(graph, nodes=tuple(nodes), outputs=outputs, expect=None), folded_arrays, into)


def foldable(graph: Graph) -> dict[str, str]:
    """The batch norms that can be folded, each with the layer it folds into, by full names."""
    sharing = {node.shared for node in graph.nodes} | {node.full_name for node in graph.nodes if node.shared}
    nodes = {node.full_name: node for node in graph.nodes}
    found = {}
    for norm in graph.nodes:
        if not isinstance(norm.layer, BatchNorm) or not norm.layer.running:
            continue
        before = nodes.get(norm.inputs[0])
        if before is None or not before.layer.weighted or graph.only_reader(before.full_name) is None:
            continue
        if before.layer.channel_axis % len(before.output.shape) != 0:
            continue  # its channels are positions, and not the units
        if not {before.full_name, norm.full_name} & sharing:
            found[norm.full_name] = before.full_name
    return found


def _folded(node: Node, norm: Node, arrays: Arrays) -> tuple[Node, dict[str, Array]]:
    """The layer with a bias, and its new weight and bias, computed in float64."""
    own = {param.name: arrays[f"{norm.full_name}.{param.name}"] for param in norm.params}
    weight = arrays[f"{node.full_name}.weight"]
    scale, shift = scale_and_shift(norm, own)
    shift = shift + arrays.get(f"{node.full_name}.bias", 0.0) * scale
    axis = node.layer.output_axis
    groups = node.layer.groups if isinstance(node.layer, ConvTranspose) else 1
    # a transposed convolution's weight has its groups along the inputs, and a group's outputs after them
    wide = scale.reshape(groups, 1, -1).repeat(weight.shape[0] // groups, axis=1) if axis else scale
    shape = (weight.shape[0], -1, *(1,) * (weight.ndim - 2)) if axis else (-1, *(1,) * (weight.ndim - 1))
    layer = node.layer.with_options(bias=True)
    params = (node.params[0], ParamSpec("bias", shift.shape, "zeros", frozen=node.is_frozen))
    return node._replace(layer=layer, params=params), {
        name: PRECISIONS[weight.dtype.name].taken(array, f"the folded {name}")
        for name, array in (
            (f"{node.full_name}.weight", weight * wide.reshape(shape)),
            (f"{node.full_name}.bias", shift),
        )
    }


def scale_and_shift(norm: Node, own: Arrays) -> tuple[Array, Array]:
    """A batch norm in inference as one product and one sum a channel, in float64; arrays by own name."""
    assert isinstance(norm.layer, BatchNorm)
    deviation = np.sqrt(own["running_var"].astype(np.float64) + norm.layer.eps)
    scale = own.get("weight", 1.0) / deviation
    return scale, own.get("bias", 0.0) - own["running_mean"] * scale


def followed_by_norm(
    weight: Array, bias: Array | None, norm: Node | None, own: Arrays
) -> tuple[Array, Array | None]:
    """A weight with the outputs on its first axis, and a bias, with the batch norm after them, if any."""
    if norm is None:
        return weight, bias
    scale, shift = scale_and_shift(norm, own)
    wide = scale.reshape(-1, *(1,) * (weight.ndim - 1))
    moved = shift if bias is None else shift + scale * bias
    return (weight * wide).astype(weight.dtype), moved.astype(weight.dtype)
