"""How many bytes the numbers of a training run take, by element type and optimiser."""

from typing import NamedTuple

from netcalc.graph import Graph
from netcalc.layers.kept import STATISTIC_BYTES, Extra
from netcalc.tensor import DTYPES

FLOAT32_BYTES = 4

OPTIMISERS: dict[str, int] = {"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}
"""How many numbers each keeps beside a weight."""

TRAINABLE = tuple(name for name, dtype in DTYPES.items() if name.startswith(("float", "bfloat")))
"""The element types that a network can be trained in."""


class PrecisionPolicy(NamedTuple):
    """The element type of outputs, gradients and weights.

    `mixed` keeps weights and optimiser state in float32 beside 16-bit weights (Micikevicius et al. 2018).
    """

    itemsize: int
    mixed: bool = False

    @property
    def statistic_bytes(self) -> int:
        """Bytes of a sum over many elements."""
        return max(self.itemsize, STATISTIC_BYTES)

    def extra_bytes(self, extra: Extra) -> int:
        """Bytes of what a layer keeps beside tensors."""
        return extra.nbytes(self.itemsize)


def update_bytes(graph: Graph, precision: PrecisionPolicy, optimiser: str) -> int:
    """The most that an optimiser takes for itself in its step; shared weights once.

    Adam as PyTorch's loop over single tensors: the root of the second moment and the denominator made from
    it, while the denominator of the tensor before is still there. The others work in place.
    """
    if not optimiser.startswith("adam"):
        return 0
    own = [param for node in graph.nodes if node.shared is None for param in node.params]
    sizes = [param.numel for param in own if param.trainable]
    wide = FLOAT32_BYTES if precision.mixed else precision.itemsize
    before = [0, *sizes]
    return max((2 * size + last for size, last in zip(sizes, before, strict=False)), default=0) * wide


class Weights(NamedTuple):
    """Bytes that are there whatever runs."""

    parameters: int
    buffers: int
    """Running statistics."""
    master: int
    """The float32 copy of 16-bit weights."""
    state: int
    """What the optimiser keeps, with Adam's count of steps for each parameter."""

    @property
    def total(self) -> int:
        return sum(self)


def precision_of(dtype: str, mixed: bool = True) -> PrecisionPolicy:
    """The precision of training in an element type; mixed where that is narrower than float32.

    Raises ValueError for an element type that networks are not trained in.
    """
    if dtype not in TRAINABLE:
        raise ValueError(f"training is in one of {', '.join(TRAINABLE)}, not {dtype!r}")
    itemsize = DTYPES[dtype].itemsize
    return PrecisionPolicy(itemsize, mixed and itemsize < FLOAT32_BYTES)


def weights_of(graph: Graph, precision: PrecisionPolicy, optimiser: str) -> Weights:
    """What a graph's parameters take beside their gradients; shared ones once.

    Raises ValueError for an optimiser that is not known.
    """
    if optimiser not in OPTIMISERS:
        raise ValueError(f"optimiser is one of {', '.join(OPTIMISERS)}, not {optimiser!r}")
    own = [param for node in graph.nodes if node.shared is None for param in node.params]
    held = sum(param.numel for param in own if not param.buffer)
    learned = sum(param.numel for param in own if param.trainable)
    running = sum(param.numel for param in own if param.buffer)
    wide = FLOAT32_BYTES if precision.mixed else precision.itemsize
    counters = FLOAT32_BYTES * sum(param.trainable for param in own) * optimiser.startswith("adam")
    return Weights(
        parameters=held * precision.itemsize,
        buffers=running * precision.statistic_bytes,
        master=learned * FLOAT32_BYTES if precision.mixed else 0,
        state=learned * wide * OPTIMISERS[optimiser] + counters,
    )
