"""Bytes of weights, optimiser state and elements in training, by element type and optimiser."""

from typing import Literal, NamedTuple

from netcalc.diagnostics import require_choice
from netcalc.graph import Graph
from netcalc.layers.saved import STATISTIC_BYTES, Extra
from netcalc.tensor import DTYPES

FLOAT32_BYTES = 4

OptimiserName = Literal["sgd", "momentum", "adam", "adamw"]
OPTIMISERS: dict[str, int] = {"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}
"""How many numbers of state each optimiser has for one weight."""

TRAINABLE = tuple(name for name, dtype in DTYPES.items() if name.startswith(("float", "bfloat")))
"""The element types that a network can be trained in."""


class PrecisionPolicy(NamedTuple):
    """The size of an element of outputs, gradients and weights.

    `mixed` stores weights and optimiser state in float32 beside 16-bit weights (Micikevicius et al. 2018).
    """

    itemsize: int
    mixed: bool = False

    @property
    def statistic_bytes(self) -> int:
        """Bytes of a statistic: a reduction over many elements."""
        return max(self.itemsize, STATISTIC_BYTES)

    def extra_bytes(self, extra: Extra) -> int:
        """Bytes of the elements that a layer saves beside tensors of the graph."""
        return extra.nbytes(self.itemsize)


def update_bytes(graph: Graph, precision: PrecisionPolicy, optimiser: str) -> int:
    """Peak workspace of an optimiser's step; shared weights count once.

    Adam as PyTorch's loop over single tensors: the square root of the second moment and the denominator,
    while the denominator of the previous tensor is still live. The other optimisers work in place.
    """
    if not optimiser.startswith("adam"):
        return 0
    own = [param for node in graph.nodes if node.shared is None for param in node.params]
    sizes = [param.numel for param in own if param.trainable]
    itemsize = FLOAT32_BYTES if precision.mixed else precision.itemsize
    previous = [0, *sizes]
    peak = max((2 * size + before for size, before in zip(sizes, previous, strict=False)), default=0)
    return peak * itemsize


class Weights(NamedTuple):
    """Bytes that are live during the whole step."""

    parameters: int
    buffers: int
    """Running statistics."""
    master: int
    """The float32 copy of 16-bit weights."""
    state: int
    """Optimiser state, with Adam's step counter for each parameter."""

    @property
    def total(self) -> int:
        return sum(self)


def precision_of(dtype: str, mixed: bool = True) -> PrecisionPolicy:
    """The policy of training in an element type; mixed only where that is narrower than float32.

    Raises ValueError for an element type that cannot be trained in.
    """
    if dtype not in TRAINABLE:
        raise ValueError(f"training is in one of {', '.join(TRAINABLE)}, not {dtype!r}")
    itemsize = DTYPES[dtype].itemsize
    return PrecisionPolicy(itemsize, mixed and itemsize < FLOAT32_BYTES)


def weights_of(graph: Graph, precision: PrecisionPolicy, optimiser: str) -> Weights:
    """Bytes of a graph's parameters and their optimiser state; shared parameters count once.

    Raises ValueError for an unknown optimiser.
    """
    require_choice("optimiser", optimiser, OPTIMISERS)
    own = [param for node in graph.nodes if node.shared is None for param in node.params]
    parameters = sum(param.numel for param in own if not param.buffer)
    trained = sum(param.numel for param in own if param.trainable)
    buffers = sum(param.numel for param in own if param.buffer)
    itemsize = FLOAT32_BYTES if precision.mixed else precision.itemsize
    counters = FLOAT32_BYTES * sum(param.trainable for param in own) * optimiser.startswith("adam")
    return Weights(
        parameters=parameters * precision.itemsize,
        buffers=buffers * precision.statistic_bytes,
        master=trained * FLOAT32_BYTES if precision.mixed else 0,
        state=trained * itemsize * OPTIMISERS[optimiser] + counters,
    )
