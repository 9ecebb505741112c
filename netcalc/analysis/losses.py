"""Memory of the loss of a training step: what it saves, and what its forward and backward allocate.

As PyTorch's operators do for one output y. Cross-entropy saves log_softmax(y), as large as y; its backward
allocates the gradient of log_softmax(y), then that of y. The mean squared error saves y and the target.
"""

from typing import Literal, NamedTuple

from netcalc.analysis.allocations import Bytes
from netcalc.analysis.precision import PrecisionPolicy
from netcalc.diagnostics import require_choice
from netcalc.graph import Graph
from netcalc.layers.saved import INDEX_BYTES

LossName = Literal["auto", "cross_entropy", "mse", "none"]
Kind = Literal["cross_entropy", "mse"]
LOSSES: tuple[LossName, ...] = ("auto", "cross_entropy", "mse", "none")


class Loss(NamedTuple):
    """The loss of one output."""

    output: str
    """The output's full name."""
    name: Kind
    target: Bytes
    """The target classes or values, live from the start."""
    log_softmax: Bytes
    """What the forward allocates and saves; its gradient is as large."""

    @property
    def saves_output(self) -> bool:
        """Whether backward reads the output itself."""
        return self.name == "mse"

    @property
    def saved(self) -> Bytes:
        """What it saves beside tensors of the network."""
        return self.target.plus(self.log_softmax)


def losses_of(graph: Graph, precision: PrecisionPolicy, loss: LossName = "auto") -> tuple[Loss, ...]:
    """The loss of each output; `auto` is cross-entropy on class scores, C or T x C, and none elsewhere.

    Raises ValueError for an unknown loss.
    """
    require_choice("loss", loss, LOSSES)
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
        return Loss(name, kind, Bytes(per_sample=elements * precision.itemsize), Bytes())
    # classes are the last axis of T x C, the first of C, H, W
    classes = shape[-1 if len(shape) == 2 else 0] if shape else 1
    itemsize = precision.statistic_bytes if precision.mixed else precision.itemsize
    # the forward also saves the total weight of the samples, one number
    log_softmax = Bytes(itemsize, elements * itemsize)
    return Loss(name, kind, Bytes(per_sample=elements // classes * INDEX_BYTES), log_softmax)
