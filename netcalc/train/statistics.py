"""What an initialisation does to activations and gradients, layer by layer.

A stage is a layer with parameters, a sum or a product of branches, or an activation, together with the
norms and the activation that alone read it; its values are those at its end. One forward pass in training
mode gives them; a backward pass from standard normal gradients of the outputs gives the gradients there.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite
from typing import NamedTuple

import numpy as np

from netcalc.analysis.axes import axis_names
from netcalc.backend import LayerBackward, Network
from netcalc.backend.kernels.base import Array
from netcalc.backend.profiling import Moments
from netcalc.graph import Graph, Node
from netcalc.layers.activation import Activation, Tanh
from netcalc.layers.axes import feature_axis
from netcalc.layers.merge import Merge
from netcalc.layers.normalisation import Normalisation
from netcalc.layers.regularisation import Regularisation
from netcalc.layers.softmax import Softmax
from netcalc.tensor import Shape

COLLAPSED = 1 / 4
"""Where the last stage's deviation is less than this of the first's, the activations collapse."""
EXPLODED = 4.0
"""Where it is more than this, they explode."""
SATURATED = 1 / 4
"""Where more than this share of the outputs of saturating functions is at their bounds, they saturate."""

BINS = 40
"""The bins of a histogram."""
_DEVIATIONS = 4
"""A histogram goes so many deviations to each side of the mean, of the widest stage."""

_TANH, _SIGMOID = 0.99, 0.01
"""Beyond these an output is saturated: |tanh| > 0.99, a sigmoid outside 0.01 to 0.99."""


class Stage(NamedTuple):
    """A layer with the norms and the activation that alone read it; `end` is the last of them."""

    node: Node
    then: tuple[Node, ...]
    unit_axis: int
    """The axis of the units or channels at its end, the batch counted."""

    @property
    def end(self) -> Node:
        return self.then[-1] if self.then else self.node


class StageStatistics(NamedTuple):
    """The values at the end of a stage, for the whole batch."""

    stage: Stage
    shape: Shape
    moments: Moments
    saturated: float | None
    """The share of outputs at the bounds of a tanh or a sigmoid."""
    dead: float | None
    """The share of units, or channels, that a ReLU sets to zero for the whole batch."""
    gradient: float | None
    """The deviation of the gradient; None where none came, or none was wanted."""
    histogram: tuple[int, ...]
    """How many values other than exact zeros lie in each bin."""


class Signals(NamedTuple):
    """The statistics of every stage, and the range of their histograms."""

    stages: tuple[StageStatistics, ...]
    range: tuple[float, float]

    @property
    def ratio(self) -> float:
        """The deviation of the last stage against that of the first."""
        return _ratio(self.stages[-1].moments.std, self.stages[0].moments.std)

    @property
    def gradient_ratio(self) -> float | None:
        """The deviation of the gradient at the first stage against that at the last."""
        first, last = self.stages[0].gradient, self.stages[-1].gradient
        return None if first is None or last is None else _ratio(first, last)

    @property
    def saturated(self) -> float | None:
        """The mean share of saturated outputs, over the stages that can saturate."""
        shares = [stage.saturated for stage in self.stages if stage.saturated is not None]
        return sum(shares) / len(shares) if shares else None

    @property
    def verdict(self) -> str:
        """`explodes`, `saturates`, `collapses` or `keeps`."""
        if not all(stage.moments.is_finite for stage in self.stages):
            return "explodes"
        if (self.saturated or 0) > SATURATED:
            return "saturates"
        if self.ratio > EXPLODED:
            return "explodes"
        return "keeps" if self.ratio >= COLLAPSED else "collapses"


def stages(graph: Graph) -> list[Stage]:
    """The stages of a graph, in order."""
    taken: set[str] = set()
    names = axis_names(graph)
    found = []
    for node in graph.nodes:
        if node.full_name in taken or not _begins(graph, node):
            continue
        then = _then(graph, node)
        taken.update(follower.full_name for follower in then)
        end = then[-1] if then else node
        found.append(Stage(node, then, 1 + (feature_axis(names[end.full_name]) or 0)))
    return found


def statistics(
    network: Network,
    x: Mapping[str, Array],
    backward: bool = True,
    done: Callable[[Node], None] = lambda node: None,
) -> Signals:
    """Run a network on a batch, as in training, and take the statistics of its stages.

    `done` is called after each layer, forward and then backward. The network has one stage at least.
    Raises ExecutionError for inputs that do not fit and runs that need more memory than there is.
    """
    staged = stages(network.graph)
    ends = {stage.end.full_name for stage in staged}
    run = network.run(
        x,
        training=True,
        gradients=backward,
        input_gradients=backward,
        capture=ends,
        observe=lambda node, xs, y, t: done(node),
        draw=0,
    )
    gradients: dict[str, float] = {}

    def observe(record: LayerBackward) -> None:
        if record.node.full_name in ends:
            gradients[record.node.full_name] = Moments.of(record.upstream).std
        done(record.node)

    if backward:
        rng = np.random.default_rng([network.seed, 1])
        run.backward({name: rng.standard_normal(y.shape) for name, y in run.outputs.items()}, observe)
    values = [run.captured[stage.end.full_name] for stage in staged]
    moments = [Moments.of(y) for y in values]
    low, high = _range(moments)
    found = (
        StageStatistics(
            stage,
            y.shape[1:],
            moment,
            _saturated(stage.end, y),
            _dead_share(stage, y),
            gradients.get(stage.end.full_name),
            _histogram(y, low, high),
        )
        for stage, y, moment in zip(staged, values, moments, strict=True)
    )
    return Signals(tuple(found), (low, high))


def _begins(graph: Graph, node: Node) -> bool:
    """Whether a stage begins with a layer: one that computes something new."""
    learned = any(not param.buffer for param in node.params)
    joins = isinstance(node.layer, Merge) and graph.cost(node).other_ops + graph.cost(node).macs > 0
    return learned or joins or _is_nonlinearity(node)


def _is_nonlinearity(node: Node) -> bool:
    """Whether a layer is an activation of each element on its own."""
    return isinstance(node.layer, Activation) and not isinstance(node.layer, Softmax)


def _then(graph: Graph, node: Node) -> tuple[Node, ...]:
    """The norms and the activation that alone read a layer, one after another."""
    if _is_nonlinearity(node):
        return ()
    found: list[Node] = []
    passed: list[Node] = []
    reader = graph.only_reader(node.full_name)
    while reader is not None:
        is_nonlinearity = _is_nonlinearity(reader)
        if not is_nonlinearity and not isinstance(reader.layer, Normalisation | Regularisation):
            break
        passed.append(reader)
        if not isinstance(reader.layer, Regularisation):
            found, passed = [*found, *passed], []
        if is_nonlinearity:
            break
        reader = graph.only_reader(reader.full_name)
    return tuple(found)


def _ratio(part: float, whole: float) -> float:
    if part == 0:
        return 0.0
    return part / whole if whole else inf


def _saturated(end: Node, y: Array) -> float | None:
    if isinstance(end.layer, Tanh):
        return float(np.mean(np.abs(y) > _TANH))
    if end.layer.sigmoidal:
        return float(np.mean((y < _SIGMOID) | (y > 1 - _SIGMOID)))
    return None


def live_units(stage: Stage, y: Array) -> Array:
    """For each unit, or channel, whether it is other than zero anywhere in a batch."""
    units = np.moveaxis(y, stage.unit_axis, 0)
    return np.asarray(units.any(axis=tuple(range(1, y.ndim))))


def _dead_share(stage: Stage, y: Array) -> float | None:
    if not stage.end.layer.rectifies:
        return None
    return float(1 - live_units(stage, y).mean())


def _range(moments: Sequence[Moments]) -> tuple[float, float]:
    """The common range of the histograms: all values, but for the tails of the widest stage."""
    known = [each for each in moments if isfinite(each.mean)]
    if not known:
        return -1.0, 1.0
    low = min(max(each.min, each.mean - _DEVIATIONS * each.std) for each in known)
    high = max(min(each.max, each.mean + _DEVIATIONS * each.std) for each in known)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _histogram(y: Array, low: float, high: float) -> tuple[int, ...]:
    kept = y[np.isfinite(y) & (y != 0)]
    counts, _ = np.histogram(kept, BINS, (low, high))
    return tuple(map(int, counts))
