"""netcalc train: a network's training on a data set by a recipe."""

import os
import re
from collections.abc import Sequence
from typing import Any

import typer

from netcalc.cli import trials
from netcalc.cli.common import InputOption, SetOption, VariantOption, asked_about, asked_of
from netcalc.cli.train_options import (
    AccumulateOption,
    AugmentOption,
    AverageOption,
    BatchSizeOption,
    ClipOption,
    ContextOption,
    DataFormatOption,
    DataOption,
    EpochsOption,
    EveryOption,
    FactorOption,
    FreezeOption,
    KeepOption,
    LossOption,
    MaybeSpec,
    OptimiserOption,
    PartOption,
    RateOption,
    RecipeOption,
    ReinitOption,
    ResumeOption,
    RunDtypeOption,
    RunOption,
    RunSeedOption,
    ScheduleOption,
    SizeOption,
    ValidationOption,
    WeightsOption,
    WorkersOption,
)
from netcalc.cli.training_run import StartedRun, carry_out
from netcalc.cli.trials import OverfitOption, RateSearchOption, TrialPlotOption
from netcalc.spec import find_given
from netcalc.spec.standalone import settled_text

_NOT_OF_RECIPE = {
    "spec", "output", "resume", "recipe", "keep", "checkpoint_every", "set", "input", "variant",
    "lr_find", "overfit_batch", "plot_file",
}  # fmt: skip
_SECONDS = {"s": 1, "min": 60, "h": 3600}


def command(
    spec: MaybeSpec = None,
    data: DataOption = "",
    output: RunOption = "",
    recipe: RecipeOption = "",
    resume: ResumeOption = "",
    epochs: EpochsOption = None,
    batch: BatchSizeOption = None,
    lr: RateOption = None,
    chosen_optimiser: OptimiserOption = None,
    schedule: ScheduleOption = None,
    chosen_loss: LossOption = None,
    augment: AugmentOption = None,
    clip_norm: ClipOption = None,
    accumulate: AccumulateOption = None,
    ema: AverageOption = None,
    weights: WeightsOption = "",
    reinit: ReinitOption = None,
    freeze: FreezeOption = None,
    factors: FactorOption = None,
    validation: ValidationOption = None,
    seed: RunSeedOption = None,
    dtype: RunDtypeOption = None,
    workers: WorkersOption = None,
    part: PartOption = None,
    data_format: DataFormatOption = None,
    size: SizeOption = None,
    context: ContextOption = None,
    keep: KeepOption = None,
    checkpoint_every: EveryOption = "",
    lr_find: RateSearchOption = False,
    overfit_batch: OverfitOption = False,
    plot_file: TrialPlotOption = "",
    set: SetOption = None,
    input: InputOption = None,
    variant: VariantOption = None,
) -> None:
    """Train a network on a data set.

    netcalc train lenet5 --data mnist --epochs 5 -o runs/lenet
    netcalc train resnet20.yaml --data cifar10 --recipe resnet.yaml --augment crop:4,flip
    netcalc train alexnet --data pets --weights alexnet.npz --reinit fc8 --freeze 'conv*'
    netcalc train --resume runs/lenet
    """
    given = {name: value for name, value in locals().items() if name not in _NOT_OF_RECIPE}
    listed = {name: ",".join(value) if isinstance(value, list) else value for name, value in given.items()}
    options = {
        name.removeprefix("chosen_"): value for name, value in listed.items() if value not in (None, "")
    }
    every = _interval(checkpoint_every)
    if lr_find or overfit_batch:
        trials.refuse_unused(lr_find, keep, checkpoint_every, epochs, schedule, ema)
    trials.check_trial(lr_find, overfit_batch, plot_file, output, resume, augment)
    if overfit_batch:
        options["augment"] = ""
    if resume:
        run = _resumed(resume, options, recipe, output, spec, set, input, variant)
    elif spec is None:
        raise typer.BadParameter("say which network is trained.", param_hint="SPEC")
    else:
        run = _begun(spec, output, recipe, options, set, input, variant)
    if lr_find:
        trials.find_rate(run.training, plot_file)
    elif overfit_batch:
        trials.overfit_batch(run.training, plot_file)
    else:
        carry_out(run, keep or 3, every)


def _begun(
    spec: str,
    output: str,
    recipe: str,
    options: dict[str, Any],
    settings: Sequence[str] | None,
    inputs: Sequence[str] | None,
    variant: str | None,
) -> StartedRun:
    """A new run."""
    from netcalc.train.loop import Training
    from netcalc.train.recipe_file import read_recipe, recipe_source
    from netcalc.train.run_folder import RunFolder

    chosen = read_recipe(recipe_source(recipe) if recipe else None, options)
    found = find_given(spec)
    asked = asked_about(found, settings or (), inputs or (), variant)
    graph = asked.graph()
    if not chosen.data:
        raise typer.BadParameter("say what the network is trained on.", param_hint="--data")
    folder = RunFolder(output or _free_folder(graph.name))
    folder.require_free()
    training = Training(chosen.network(graph), chosen.open_data(), chosen)
    shapes = {given.name: given.type.shape for given in graph.inputs} if asked.overrides else {}
    text = settled_text(found._replace(variant=variant or found.variant), graph.name, asked.settings, shapes)
    return StartedRun(training, folder, text)


def _resumed(
    resume: str,
    options: dict[str, Any],
    recipe: str,
    output: str,
    spec: str | None,
    settings: Sequence[str] | None,
    inputs: Sequence[str] | None,
    variant: str | None,
) -> StartedRun:
    """A run that goes on."""
    from netcalc.train.resuming import resumed

    if output:
        raise typer.BadParameter("a run goes on in its own folder.", param_hint="--output")
    graph = asked_of(spec, settings or (), inputs or (), variant).graph() if spec is not None else None
    if graph is None and (settings or inputs or variant):
        message = "it is about the SPEC, which the run has in its folder."
        raise typer.BadParameter(message, param_hint="--set, --input, --variant")
    found = resumed(resume, options, recipe, graph)
    return StartedRun(found.training, found.folder, None, found.seen)


def _interval(text: str) -> tuple[int | None, float | None]:
    """Steps, or seconds, between checkpoints."""
    found = re.fullmatch(r"([0-9]{1,9})\s*(s|min|h)?", text.strip(), re.ASCII) if text else None
    if text and (found is None or not int(found[1])):
        message = f"{text!r} is neither a number of steps nor a time as 30s, 10min or 2h."
        raise typer.BadParameter(message, param_hint="--checkpoint-every")
    if found is None:
        return None, None
    return (None, float(found[1]) * _SECONDS[found[2]]) if found[2] else (int(found[1]), None)


def _free_folder(name: str) -> str:
    """`runs/lenet-5`, or `runs/lenet-5-2` where that is taken."""
    word = re.sub(r"[^\w.-]+", "-", name.lower()).strip("-.") or "network"
    count = 1
    while os.path.exists(path := os.path.join("runs", word if count == 1 else f"{word}-{count}")):
        count += 1
    return path
