"""The loss of a training step: what it keeps, and what its forward and backward take.

As PyTorch's operators on one output y: cross-entropy makes the logarithm of the softmax, as large as y, and
keeps it; on the way back come its gradient and then that of y. The mean squared error keeps y and a target
as large.
"""

from typing import Literal, NamedTuple

from netcalc.analysis.ledger import Bytes
from netcalc.analysis.precision import PrecisionPolicy
from netcalc.graph import Graph
from netcalc.layers.kept import INDEX_BYTES

LossName = Literal["auto", "cross_entropy", "mse", "none"]
Kind = Literal["cross_entropy", "mse"]
LOSSES: tuple[LossName, ...] = ("auto", "cross_entropy", "mse", "none")


class Loss(NamedTuple):
    """The loss of one output."""

    output: str
    """The output's full name."""
    name: Kind
    target: Bytes
    """The classes or values that are wanted, there from the start."""
    logs: Bytes
    """What the forward makes and keeps; its gradient takes as much."""

    @property
    def keeps_output(self) -> bool:
        """Whether backward reads the output itself."""
        return self.name == "mse"

    @property
    def kept(self) -> Bytes:
        """What it keeps beside tensors of the network."""
        return self.target.plus(self.logs)


def losses_of(graph: Graph, precision: PrecisionPolicy, loss: LossName = "auto") -> tuple[Loss, ...]:
    """The loss of each output; with `auto` cross-entropy on scores of classes, C or T x C, alone.

    Raises ValueError for a loss that is not known.
    """
    if loss not in LOSSES:
        raise ValueError(f"loss is one of {', '.join(LOSSES)}, not {loss!r}")
    if loss == "none":
        return ()
    kind: Kind = "mse" if loss == "mse" else "cross_entropy"
    outputs = dict.fromkeys(graph.outputs)
    chosen = (name for name in outputs if loss != "auto" or _is_classifier(graph, name))
    return tuple(_loss(graph, precision, name, kind) for name in chosen)


def _is_classifier(graph: Graph, name: str) -> bool:
    shape = graph.types[name].shape
    return len(shape) in (1, 2) and shape[-1] > 1


def _loss(graph: Graph, precision: PrecisionPolicy, name: str, kind: Kind) -> Loss:
    shape, elements = graph.types[name].shape, graph.types[name].numel
    if kind == "mse":
        return Loss(name, kind, Bytes(each=elements * precision.itemsize), Bytes())
    # the classes are the last axis of T x C, the first of C, H, W
    classes = shape[-1 if len(shape) == 2 else 0] if shape else 1
    wide = precision.statistic_bytes if precision.mixed else precision.itemsize
    # beside the logarithms the sum of the samples' weights, one number
    return Loss(name, kind, Bytes(each=elements // classes * INDEX_BYTES), Bytes(wide, elements * wide))
