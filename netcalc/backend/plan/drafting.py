"""A plan on paper: steps, layouts, halos and places in memory, without an array."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from netcalc.backend.convolution.base import Call, Scratch, untouchable
from netcalc.backend.convolution.choice import algorithm, is_planar
from netcalc.backend.inputs import token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.plan import elementwise, pooling, steps
from netcalc.backend.plan.activations import IN_PLACE
from netcalc.backend.plan.convolve import Convolve
from netcalc.backend.plan.stages import MERGES, Stage, is_planned_convolution, stages
from netcalc.backend.plan.steps import Part, Step, Views
from netcalc.backend.plan.tensors import Tensor, placed
from netcalc.graph import Graph

_HEAVY_WEIGHTS = 2**20
"""Elements of a linear layer's weights, from which on all workers read them once rather than each."""


@dataclass
class Draft:
    """What is done in which order, and where all tensors lie.

    The first `apart` steps each worker does for samples of its own; in the others all do a part of each.
    """

    graph: Graph
    batch: int
    workers: int
    dtype: np.dtype[np.floating]
    steps: list[Step]
    tensors: dict[str, Tensor]
    reads: list[tuple[str, ...]]
    """The tensors that each step reads, what is added last."""
    holder: dict[str, str]
    apart: int
    own_bytes: int = 0
    """The memory of the tensors that each worker has for itself."""
    shared_bytes: int = 0

    @property
    def arena_bytes(self) -> int:
        """The memory of all tensors."""
        return self.own_bytes * self.workers + self.shared_bytes

    def sizes(self) -> "Sizes":
        """What the plan takes; nothing of it is taken yet."""
        for step in self.steps:
            step.blank(self.dtype)
        weights = sum(step.weight_bytes for step in self.steps)
        return Sizes(self.arena_bytes, self._scratch_bytes(), self.workers, weights)

    def samples(self, step: int) -> int:
        """How many samples a worker goes through in a step."""
        return self.batch // self.workers if step < self.apart else self.batch

    def _scratch_bytes(self) -> int:
        scratch = Scratch()
        for number in range(len(self.steps)):
            samples = self.samples(number)
            for part in self.parts(number):
                views = {
                    name: untouchable((samples, *self.tensors[name].held), self.dtype)
                    for name in (*self.reads[number], self.steps[number].stage.output)
                }
                for _ in self.calls(number, views, scratch, part):
                    pass
        return scratch.most

    def parts(self, step: int) -> list[Part]:
        """Each worker's part of a step."""
        if step < self.apart:
            return [Part()] * self.workers
        return [Part(worker, self.workers) for worker in range(self.workers)]

    def calls(self, number: int, views: dict[str, Array], scratch: Scratch, part: Part) -> Iterator[Call]:
        """One worker's calls of a step, on the arrays with halos of the tensors by name."""
        step = self.steps[number]
        bound = [(self.tensors[name], views[name]) for name in self.reads[number]]
        added = bound.pop() if step.stage.added is not None else None
        output = step.stage.output
        with scratch.lent():
            yield from step.calls(
                Views(tuple(bound), (self.tensors[output], views[output]), added, scratch, part)
            )


class Sizes(NamedTuple):
    """The bytes that a plan takes: all tensors, scratch for each worker, weights in another form."""

    arena: int
    scratch: int
    workers: int
    weights: int

    @property
    def total(self) -> int:
        return self.arena + self.scratch * self.workers + self.weights


def draft(graph: Graph, batch: int, workers: int, dtype: str) -> Draft:
    """Plan a graph for a batch."""
    listed, holder = stages(graph)
    kind: np.dtype[np.floating] = np.dtype(dtype)
    apart = _apart(listed) if workers > 1 and batch % workers == 0 else 0
    tensors = {given.name: Tensor(given.name, given.type.shape, kind, False) for given in graph.inputs}
    for name in token_inputs(graph):
        tensors[name].dtype = np.dtype(np.int64)
    made = Draft(graph, batch, workers, kind, [], tensors, [], holder, 0)
    for number, stage in enumerate(listed):
        if number == apart:
            made.apart = len(made.steps)
        _add(made, stage, batch // workers if number < apart else batch)
    if apart >= len(listed):
        made.apart = len(made.steps)
    _live(made)
    return made


def _apart(listed: list[Stage]) -> int:
    """How many stages come before the first that mixes samples, or whose weights are worth reading once."""
    for number, stage in enumerate(listed):
        if stage.node.layer.mixes_samples(training=False):
            return number
        is_head = stage.kind == "linear" and len(stage.node.output.shape) == 1
        if is_head and prod(stage.node.params[0].shape) >= _HEAVY_WEIGHTS:
            return number
    return len(listed)


def _add(made: Draft, stage: Stage, samples: int) -> None:
    """Add a stage's step, and before it the copies that bring its inputs to the layout it takes."""
    tensors = made.tensors
    step = _step(made, stage, samples)
    reads = []
    layout = tensors[stage.inputs[0]].channels_last if stage.inputs else False
    for number, name in enumerate(stage.inputs):
        wanted = step.channels_last(number)
        wanted = layout if wanted is None else wanted
        if number == 0:
            layout = wanted
        whole = not step.is_fast or _carries(stage)
        reads.append(_converted(made, name, wanted, stage, tensors[name].dtype if whole else made.dtype))
    gives = len(stage.node.output.shape) == 3 and step.gives_channels_last(layout)
    if stage.added is not None:
        reads.append(_converted(made, stage.added, gives, stage, made.dtype))
    for number, name in enumerate(reads[: len(stage.inputs)]):
        tensor = tensors[name]
        both = zip(tensor.halo, step.halo(number, tensor), strict=True)
        top, left = ((max(a[0], b[0]), max(a[1], b[1])) for a, b in both)
        tensor.halo = (top, left)
    held = made.graph.types[stage.output].shape
    dtype = tensors[reads[0]].dtype if reads and _carries(stage) else made.dtype
    tensors[stage.output] = Tensor(stage.output, held, dtype, gives)
    made.steps.append(step)
    made.reads.append(tuple(reads))


def _carries(stage: Stage) -> bool:
    """Whether a layer only moves numbers, so that token numbers stay whole."""
    return stage.node.layer.family in ("shape", "cutting")


def _converted(made: Draft, name: str, channels_last: bool, stage: Stage, dtype: np.dtype[np.generic]) -> str:
    """The tensor in a layout and a type; a copy where it is held in others."""
    tensor = made.tensors[name]
    channels_last = channels_last if len(tensor.shape) == 3 else tensor.channels_last
    if (tensor.channels_last, tensor.dtype) == (channels_last, dtype):
        return name
    other = f"{name}, channels {'last' if channels_last else 'first'}, {dtype}"
    if other not in made.tensors:
        made.tensors[other] = Tensor(other, tensor.shape, dtype, channels_last)
        made.steps.append(steps.Rearrange(Stage(stage.node, (name,), other)))
        made.reads.append((name,))
    return other


def _step(made: Draft, stage: Stage, samples: int) -> Step:
    """The fastest step that there is for a stage."""
    layer: Any = stage.node.layer
    shapes = [made.tensors[name].shape for name in stage.inputs]
    kind = layer.kind
    if is_planned_convolution(layer):
        given = made.tensors[stage.inputs[0]]
        channels = given.shape[0]
        is_input = any(input.name == given.name for input in made.graph.inputs)
        planar = is_input and is_planar(layer, channels)
        size = stage.node.output.shape[1:]
        chosen = algorithm(layer, channels, size, samples, made.dtype, planar)
        return Convolve(stage, {}, chosen, planar, layer.in_groups(channels))
    if kind == "batchnorm" and layer.running:
        return elementwise.Norm(stage)
    if kind in ("maxpool", "avgpool") and len(layer.kernel) == 2:
        even = not layer.ceil and (not any(map(any, layer.pad)) or getattr(layer, "count_include_pad", True))
        if kind == "maxpool" or even:
            return pooling.Pool(stage)
    to_one = kind in ("global_avgpool", "adaptive_avgpool") and prod(stage.node.output.shape[1:]) == 1
    if to_one and len(shapes[0]) == 3:
        return pooling.GlobalAverage(stage)
    if kind == "concat" and len(shapes[0]) == 3 and layer.axis in (0, -3):
        return steps.Concat(stage)
    if kind == "flatten" and len(stage.node.output.shape) == 1:
        return steps.Rearrange(stage)
    if kind in IN_PLACE and stage.activation is None:
        return elementwise.Activate(stage)
    if kind in MERGES:
        return elementwise.Merge(stage)
    return (steps.Linear if kind == "linear" else Step)(stage)


def _live(made: Draft) -> None:
    """Find out when each tensor lives and who sees it, and place them all."""
    last = len(made.steps)
    for number, (step, names) in enumerate(zip(made.steps, made.reads, strict=True)):
        made.tensors[step.stage.output].born = number
        for name in (*names, step.stage.output):
            made.tensors[name].dies = number
            made.tensors[name].shared |= number >= made.apart
    for given in made.graph.inputs:
        made.tensors[given.name].shared = True
    for name in made.graph.outputs:
        tensor = made.tensors[made.holder[name]]
        tensor.dies, tensor.shared = last, True
    for tensor in made.tensors.values():
        if tensor.shared:  # workers reach a step at different times as long as they work apart
            tensor.born = -1 if tensor.born < made.apart else tensor.born
            tensor.dies = max(tensor.dies, made.apart)
    own = [tensor for tensor in made.tensors.values() if not tensor.shared]
    shared = [tensor for tensor in made.tensors.values() if tensor.shared]
    made.own_bytes = placed(own, made.batch // made.workers)
    made.shared_bytes = placed(shared, made.batch)
