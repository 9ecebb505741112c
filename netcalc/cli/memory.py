"""netcalc memory: what training and inference need, at their highest and over time."""

import re
from typing import Annotated, cast

import typer

from netcalc.analysis.losses import LossName
from netcalc.analysis.memory import Checkpoint
from netcalc.analysis.precision import OptimiserName
from netcalc.api.memory import memory
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

OptimiserOption = Annotated[
    OptimiserName,
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
    to = output_of(format, output)
    of_training = {"--optimiser": optimiser != "sgd", "--loss": loss != "auto", "--fit": bool(fit),
                   "--checkpoint": checkpoint != "none", "--pure": not mixed}  # fmt: skip
    _refuse_idle(to.format, [name for name, is_given in of_training.items() if is_given], every_layer)
    to.show(
        memory(
            load_graph(spec, set, input, variant),
            batch,
            dtype,
            optimiser,
            mixed=mixed,
            loss=loss,
            checkpoint=_checkpoint(checkpoint),
            fit=fit,
            every_layer=every_layer,
        )
    )


def _refuse_idle(format: str, of_training: list[str], every_layer: bool) -> None:
    """Raise typer.BadParameter for an option that has nothing to act on in a format."""
    if format in ("json", "csv") and every_layer:
        raise typer.BadParameter(f"{format} has every layer; leave it out.", param_hint="--all")
    if format == "csv" and of_training:
        message = "csv has what each layer keeps, which does not depend on it; json has the peak and the fit."
        raise typer.BadParameter(message, param_hint=of_training[0])


def _checkpoint(text: str) -> Checkpoint:
    """A number of names, or a word, which `memory` checks."""
    is_number = re.fullmatch(r"[1-9]\d{0,5}", text, re.ASCII)
    return int(text) if is_number else cast("Checkpoint", text)
