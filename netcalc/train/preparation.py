"""What a recipe means for a network and a data set, and whether the three fit: all before the first step."""

from typing import NamedTuple

import numpy as np

from netcalc.backend import Network
from netcalc.backend.errors import refuse
from netcalc.backend.inputs import token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import suggestion
from netcalc.graph import Graph
from netcalc.tensor import format_shape
from netcalc.train.batches import Batches
from netcalc.train.configurable import OptionError
from netcalc.train.data import ChannelStatistics, DataSet, require_finite, require_fit, split
from netcalc.train.loss import LossFunction
from netcalc.train.losses import TotalLoss
from netcalc.train.optimiser import Optimiser
from netcalc.train.recipe import Recipe
from netcalc.train.schedules import Schedule


class Samples(NamedTuple):
    """The batches that are trained on, those that are held back, and the scale of both."""

    training: Batches
    validation: Batches | None
    statistics: ChannelStatistics | None
    counts: tuple[int, int]
    """How many samples are trained on, and how many are held back."""


def prepared_samples(graph: Graph, data: DataSet, recipe: Recipe) -> Samples:
    """The batches of a recipe. Raises ExecutionError for data that cannot train the network."""
    loss: LossFunction = recipe.loss()
    require_fit(data, graph, "classes" if loss.of_classes else "numbers", loss.ignored)
    _require_augmentation(graph, data, recipe)
    everything = np.arange(len(data))
    chosen, held_back = (
        split(data, recipe.validation, recipe.seed) if recipe.validation else (everything, everything[:0])
    )
    for indices, part in ((chosen, "trained on"), (held_back, "held back")):
        labels = data.labels()
        if len(indices) and labels is not None and not loss.counts(labels[indices]):
            refuse("E931", f"no label of the {len(indices):,} samples that are {part} counts in the loss")
    require_finite(data, dtype=recipe.dtype)
    statistics = ChannelStatistics.of(data, chosen) if _normalises(graph, data, recipe) else None
    training = Batches(
        data,
        recipe.batch,
        indices=chosen,
        seed=recipe.seed,
        drop_last=recipe.drop_last,
        augmentation=recipe.augment or None,
        statistics=statistics,
        dtype=recipe.dtype,
    )
    validation = None
    if len(held_back):
        size = min(recipe.batch, len(held_back))
        validation = Batches(
            data, size, indices=held_back, shuffle=False, statistics=statistics, dtype=recipe.dtype
        )
    return Samples(training, validation, statistics, (len(chosen), len(held_back)))


def prepared_loss(graph: Graph, recipe: Recipe) -> TotalLoss:
    """The loss of each output that has one: the first, and those of `heads`.

    Raises ExecutionError for heads that the network has not, and for outputs that are not spoken of.
    """
    first, *others = dict.fromkeys(graph.outputs)
    for name in recipe.heads:
        if name not in others:
            there = f"beside {first} it has {', '.join(others)}" if others else f"it has {first} alone"
            help = suggestion(name, others, there)
            refuse("E931", f"heads: {graph.name} has no further output {name!r}", help=help)
    silent = [name for name in others if name not in recipe.heads]
    if silent:
        example = ", ".join(f"{name}: 0.3" for name in silent)
        refuse(
            "E931",
            f"{graph.name} has the outputs {first}, {', '.join(others)}; what their losses count is not said",
            help=f"heads: {{{example}}} in the recipe, where 0 leaves one out",
        )
    weights = {first: 1.0} | {name: weight for name, weight in recipe.heads.items() if weight}
    for name in weights:
        shapes = [format_shape(graph.types[each].shape) for each in (first, name)]
        if shapes[0] != shapes[1]:
            refuse("E931", f"the output {name} is {shapes[1]}, {first} is {shapes[0]}; both have one target")
    loss: LossFunction = recipe.loss()
    if loss.of_scores:
        _require_scores(graph, list(weights), loss.name)
    return TotalLoss({name: (loss, weight) for name, weight in weights.items()})


def prepared_optimiser(network: Network, recipe: Recipe) -> Optimiser:
    """The optimiser; raises ExecutionError where a factor fits no parameter, or nothing is trained."""
    if not any(node.is_trained for node in network.graph.nodes):
        refuse("E931", f"{network.graph.name} has no parameter that is trained")
    try:
        optimiser: Optimiser = recipe.optimiser(network, factors=recipe.factors)
    except ValueError as error:
        refuse("E931", f"factors: {error}")
    return optimiser


def prepared_schedule(recipe: Recipe, updates: int) -> Schedule:
    """The schedule for so many updates an epoch; raises ExecutionError where the warm-up takes all."""
    try:
        schedule: Schedule = recipe.schedule(recipe.epochs, updates)
    except OptionError as error:
        refuse("E931", f"{error.message}, of {updates} updates each")
    return schedule


def own_inputs(graph: Graph, inputs: dict[str, Array]) -> dict[str, Array]:
    """The inputs of a batch by the network's names: one input fills one, whatever its name is."""
    names = [given.name for given in graph.inputs]
    return dict(zip(names, inputs.values(), strict=True)) if len(names) == 1 else inputs


def _require_scores(graph: Graph, outputs: list[str], loss: str) -> None:
    """Raise ExecutionError where an output is probabilities, perhaps in another shape or order."""
    nodes = {node.full_name: node for node in graph.nodes}
    for output in outputs:
        node = nodes.get(output)
        while node is not None:
            if node.layer.gives_probabilities:
                kind = node.layer.kind
                refuse(
                    "E931",
                    f"the output {output} is of a {kind}, and {loss} takes scores, of which it computes the "
                    "rest itself",
                    help=f"leave the {kind} {node.full_name} out of the spec that is trained",
                )
            if len(node.inputs) != 1:
                break
            (given,) = node.inputs
            passes = node.layer.rearranges or node.layer.is_identity(graph.types[given], node.output)
            node = nodes.get(given) if passes else None


def _require_augmentation(graph: Graph, data: DataSet, recipe: Recipe) -> None:
    """Raise ExecutionError where pictures would not have the input's shape any more."""
    if recipe.augment:
        shape, wanted = recipe.augment.require(data), graph.inputs[0].type.shape
        if shape != wanted:
            refuse(
                "E931", f"{recipe.augment} gives {format_shape(shape)}, the input is {format_shape(wanted)}"
            )


def _normalises(graph: Graph, data: DataSet, recipe: Recipe) -> bool:
    """Whether channels are brought to one scale: asked for, or not refused where there are channels."""
    if recipe.normalise is not None:
        return bool(recipe.normalise)
    return (
        data.vocabulary is None
        and len(data.fields) == 1
        and not token_inputs(graph)
        and all(field.shape for field in data.fields.values())
    )
