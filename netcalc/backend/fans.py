"""What an initialisation asks of a weight: its matrices with their fans, and the gain that follows them.

fan_in is how many inputs an output is made of, fan_out how many outputs an input goes into: K^2 C_in and
K^2 C_out of a convolution, both divided by its groups. In a transposed convolution an output is made of
K^2 C_in / stride^2 inputs on average. torch.nn.init sees an array's shape alone: it takes other fans of
grouped and of transposed convolutions.
"""

from functools import lru_cache
from math import pi, prod, sqrt
from typing import NamedTuple

import numpy as np

from netcalc.backend.kernels import KERNELS
from netcalc.backend.kernels.base import Context
from netcalc.graph import Graph, Node
from netcalc.layers import ParamSpec
from netcalc.layers.activation import Activation
from netcalc.layers.convolution import Convolution, ConvTranspose
from netcalc.layers.initialisation import role
from netcalc.layers.normalisation import Normalisation
from netcalc.layers.recurrent import RNN, Recurrent
from netcalc.layers.regularisation import Regularisation

_GRID = np.linspace(-12, 12, 2**16 + 1)
"""Where the mean square of an activation's output is taken."""


class Matrix(NamedTuple):
    """A matrix that is drawn on its own, `rows` of its weight's first axis."""

    rows: int
    fan_in: float
    fan_out: float


def matrices(graph: Graph, node: Node) -> dict[str, tuple[Matrix, ...]]:
    """The matrices of each weight of a layer, by the weight's own name."""
    return {param.name: _of(graph, node, param) for param in node.params if role(param) == "weight"}


def _of(graph: Graph, node: Node, param: ParamSpec) -> tuple[Matrix, ...]:
    """The matrices of a weight: a gate's each, and those of queries, keys and values."""
    rows, columns, taps = param.shape[0], param.shape[1], prod(param.shape[2:])
    layer = node.layer
    if isinstance(layer, ConvTranspose):
        steps = prod(layer.stride)
        return (Matrix(rows, rows / layer.groups * taps / steps, columns * taps),)
    if isinstance(layer, Convolution):
        groups = layer.in_groups(graph.input_types(node)[0].shape[0])
        return (Matrix(rows, columns * taps, rows * taps / groups),)
    parts = [rows]
    if isinstance(layer, Recurrent):
        parts = [layer.units] * layer.gates
    elif param.name == "in_proj_weight":
        parts = [columns, *[(rows - columns) // 2] * 2]
    elif param.name == "qkv.weight":
        parts = [rows // 3] * 3
    return tuple(Matrix(part, columns * taps, part * taps) for part in parts)


def gain_after(graph: Graph, node: Node) -> float:
    """The gain of a layer's weights: that of the nonlinearity that follows a convolution or linear layer.

    An RNN's is that of its own. 1 where none follows, and for the products inside gates and attention.
    """
    if isinstance(node.layer, RNN):
        return sqrt(2) if node.layer.activation == "relu" else 5 / 3
    found = nonlinearity_after(graph, node) if node.layer.weighted else None
    return 1.0 if found is None else gain(found.layer)


def nonlinearity_after(graph: Graph, node: Node) -> Node | None:
    """The activation that a layer's output alone goes to, by way of norms, dropout and rearrangements."""
    reader = graph.only_reader(node.full_name)
    while reader is not None and not isinstance(reader.layer, Activation):
        is_passed = isinstance(reader.layer, Normalisation | Regularisation) or reader.layer.rearranges
        if not is_passed or len(reader.inputs) > 1:
            return None
        reader = graph.only_reader(reader.full_name)
    return reader


@lru_cache(256)
def gain(layer: Activation) -> float:
    """The gain of torch.nn.init.calculate_gain; where it has none, what keeps a mean square of 1.

    That is 1 / sqrt(E f(z)^2) for a standard normal z, as which He's sqrt(2) comes of a ReLU.
    """
    known = layer.gain()
    if known is not None:
        return known
    with np.errstate(all="ignore"):
        y, _ = KERNELS[layer.kind](layer, {}, (_GRID[None],), Context())
    density = np.exp(-(_GRID**2) / 2) / sqrt(2 * pi)
    mean_square = float((y[0] ** 2 * density).sum() * (_GRID[1] - _GRID[0]))
    return 1 / sqrt(mean_square) if 0 < mean_square < np.inf else 1.0
