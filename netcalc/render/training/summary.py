"""What a run is and what it will take, before its first step."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netcalc.diagnostics import counted
from netcalc.render.layout import Segment, hanging, title_lines
from netcalc.render.numbers import byte_size
from netcalc.render.training.words import duration

if TYPE_CHECKING:
    from netcalc.train.estimate import Estimate
    from netcalc.train.loop import Training


def summary_lines(training: "Training", estimate: "Estimate", width: int | None) -> Iterator[list[Segment]]:
    """Samples and steps, the recipe in short, memory, multiply-adds and time."""
    graph, recipe = training.network.graph, training.recipe
    trained_on, held_back = training.counts
    facts = [f"{trained_on:,} samples to train on"]
    facts += [f"{held_back:,} held back" if held_back else "none held back"]
    facts += [f"{len(training.data.classes):,} classes"] if training.data.classes else []
    yield from title_lines((graph.name, "bold"), facts, width)
    for head, text in (
        ("recipe", _recipe(training)),
        ("steps", _steps(training)),
        *_transfer(training, estimate),
        ("memory", _memory(estimate, recipe.dtype)),
        ("epoch", _operations(estimate)),
        ("time", _time(training, estimate)),
    ):
        yield from hanging([(f"{head:<8}", "bold")], text, "", width)
    yield []


def _transfer(training: "Training", estimate: "Estimate") -> Iterator[tuple[str, str]]:
    """The weights that it begins with, and what is frozen with what that saves."""
    graph, recipe = training.network.graph, training.recipe
    if recipe.weights:
        anew = f"; {', '.join(recipe.reinit)} drawn anew" if recipe.reinit else ""
        yield "weights", f"from {recipe.weights}{anew}"
    if estimate.unfrozen is not None:
        own = [param for node in graph.nodes if node.shared is None for param in node.params]
        sizes = [param.numel for param in own if not param.buffer]
        frozen = sum(param.numel for param in own if param.frozen and not param.buffer)
        memory, macs = estimate.unfrozen
        yield (
            "frozen",
            f"{frozen:,} of {sum(sizes):,} parameters, which saves {byte_size(memory - estimate.memory)} of "
            f"{byte_size(memory)}, and {macs - estimate.backward_macs:,} of {macs:,} multiply-adds backward",
        )


def _recipe(training: "Training") -> str:
    recipe = training.recipe
    parts = [str(recipe.loss), str(recipe.optimiser), str(recipe.schedule)]
    parts[1] += "" if "lr" in recipe.optimiser.options else f" at lr {training.optimiser.lr:g}"
    parts += [str(recipe.augment)] if recipe.augment else []
    parts += [f"clipped to norm {recipe.clip_norm:g}"] if recipe.clip_norm else []
    parts += [f"average {recipe.ema:g}"] if recipe.ema is not None else []
    return ", ".join([*parts, f"seed {recipe.seed}"])


def _steps(training: "Training") -> str:
    recipe = training.recipe
    samples = recipe.batch if len(training.batches) > 1 or recipe.drop_last else training.counts[0]
    rest = 0 if recipe.drop_last else training.counts[0] % recipe.batch
    each = f"{recipe.accumulate} x {samples}" if recipe.accumulate > 1 else f"{samples:,}"
    last = f", the last of {rest}" if rest and len(training.batches) > 1 and recipe.accumulate == 1 else ""
    total = training.updates * recipe.epochs
    return (
        f"{counted(recipe.epochs, 'epoch')} of {counted(training.updates, 'step')}, {total:,} in all; "
        f"{each} samples each{last}"
    )


def _memory(estimate: "Estimate", dtype: str) -> str:
    return (
        f"{byte_size(estimate.measured_memory)} at the peak of a step in {dtype}, measured; "
        f"{byte_size(estimate.memory)} of them are weights, state and what layers keep, the rest workspaces"
    )


def _operations(estimate: "Estimate") -> str:
    forward, back = estimate.forward_macs, estimate.backward_macs
    text = f"{forward + back:,} multiply-adds: {forward:,} forward, {back:,} backward"
    return text + (f"; {estimate.validation_macs:,} to evaluate" if estimate.validation_macs else "")


def _time(training: "Training", estimate: "Estimate") -> str:
    steps = training.updates * training.recipe.epochs - training.at.step
    epoch = estimate.step_seconds * training.updates
    left = estimate.step_seconds * steps
    return (
        f"{duration(epoch)} an epoch, {duration(left)} for {counted(steps, 'step')}, without evaluations "
        f"({duration(estimate.step_seconds)} a step, the median of three)"
    )
