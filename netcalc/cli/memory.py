"""netcalc memory: what training and inference need, at their highest and over time."""

import re
from typing import Annotated, Literal

import typer

from netcalc import __version__
from netcalc.analysis.losses import LossName
from netcalc.analysis.memory import Checkpoint, TrainingMemory, inference, training
from netcalc.analysis.precision import TRAINABLE
from netcalc.cli.common import (
    BatchOption,
    DtypeOption,
    FormatOption,
    InputOption,
    OutputOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_graph,
)
from netcalc.cli.output import output_of

_UNITS: dict[str, int] = {"": 1, "B": 1} | {
    prefix + unit: int(base**power)
    for power, prefix in enumerate("KMGT", 1)
    for unit, base in (("iB", 1024), ("B", 1000))
}


OptimiserOption = Annotated[
    Literal["sgd", "momentum", "adam", "adamw"],
    typer.Option(
        "--optimiser", "--optimizer", help="Keeps 0 (sgd), 1 (momentum) or 2 numbers beside each weight."
    ),
]
MixedOption = Annotated[
    bool,
    typer.Option("--mixed/--pure", help="In 16 bits: with float32 copies of the weights, or without."),
]
LossOption = Annotated[
    LossName,
    typer.Option(
        "--loss",
        help="On every output; auto is cross-entropy on scores of classes, C or T x C, none on others.",
    ),
]
CheckpointOption = Annotated[
    str,
    typer.Option(
        "--checkpoint",
        metavar="HOW",
        help="Run parts again instead of keeping them: sqrt, block, or blocks so many names deep.",
    ),
]
FitOption = Annotated[
    str, typer.Option("--fit", metavar="SIZE", help="The largest batch whose training fits, as in 24GiB.")
]


def command(
    spec: SpecArgument,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    optimiser: OptimiserOption = "sgd",
    mixed: MixedOption = True,
    loss: LossOption = "auto",
    checkpoint: CheckpointOption = "none",
    fit: FitOption = "",
    every_layer: Annotated[
        bool, typer.Option("--all", "-a", help="Every layer, not only those that keep most.")
    ] = False,
    format: FormatOption = None,
    output: OutputOption = "",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """Memory of training and inference: the peak, the layer it is at, what is kept for backward.

    netcalc memory resnet50 --batch 32 --optimiser adam
    netcalc memory vit_b_16 --dtype bfloat16 --optimiser adamw --fit 24GiB
    netcalc memory unet --batch 8 --checkpoint sqrt
    """
    from netcalc.render.memory.json import json_chunks
    from netcalc.render.memory.tabular import kept_table
    from netcalc.render.memory.text import memory_lines
    from netcalc.render.memory.view import MemoryView

    to = output_of(format, output)
    limit, how = _bytes(fit), _checkpoint(checkpoint)
    of_training = {"--optimiser": optimiser != "sgd", "--loss": loss != "auto", "--checkpoint": how != "none",
                   "--fit": bool(fit), "--pure": not mixed}  # fmt: skip
    _refuse_idle(to.format, dtype, [name for name, is_given in of_training.items() if is_given], every_layer)
    graph = load_graph(spec, set, input, variant)
    trained: TrainingMemory | None = None
    whole: TrainingMemory | None = None
    if dtype in TRAINABLE:
        trained = training(graph, dtype, optimiser, mixed=mixed, checkpoint=how, loss=loss)
        whole = training(graph, dtype, optimiser, mixed=mixed, loss=loss) if how != "none" else None
    view = MemoryView(
        graph, batch, dtype, optimiser, inference(graph, dtype), trained, whole, limit, every_layer
    )
    to.show(
        lambda width: memory_lines(view, width),
        lambda: json_chunks(view, __version__),
        lambda: kept_table(view, every_layer or to.format == "csv"),
    )


def _refuse_idle(format: str, dtype: str, of_training: list[str], every_layer: bool) -> None:
    """Raise typer.BadParameter for an option that has nothing to act on."""
    if dtype not in TRAINABLE and (of_training or every_layer or format not in ("rich", "json")):
        raise typer.BadParameter(f"networks are not trained in {dtype}.", param_hint="--dtype")
    if format in ("json", "csv") and every_layer:
        raise typer.BadParameter(f"{format} has every layer; leave it out.", param_hint="--all")
    if format == "csv" and of_training:
        message = "csv has what each layer keeps, which does not depend on it; json has the peak and the fit."
        raise typer.BadParameter(message, param_hint=of_training[0])


def _bytes(text: str) -> int | None:
    """A size as people write it: `24GiB`, `512 MB`, or plain bytes."""
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,18})(?:\.(\d{1,9}))?\s*([A-Za-z]*)", text.strip(), re.ASCII)
    units = {unit.lower(): size for unit, size in _UNITS.items()}
    if match is None or match[3].lower() not in units:
        message = f"{text!r} is no size; write it as 24GiB, 512MiB or 80GB (1 GiB = 1024^3 bytes)."
        raise typer.BadParameter(message, param_hint="--fit")
    digits = match[2] or ""
    return int(match[1] + digits) * units[match[3].lower()] // int("1" + "0" * len(digits))


def _checkpoint(text: str) -> Checkpoint:
    if text == "none":
        return "none"
    if text == "sqrt":
        return "sqrt"
    if text == "block":
        return 1
    if re.fullmatch(r"[1-9]\d{0,5}", text, re.ASCII):
        return int(text)
    message = f"{text!r} is neither none, sqrt, block, nor a number of names from 1 up."
    raise typer.BadParameter(message, param_hint="--checkpoint")
