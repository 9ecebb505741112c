"""The options of `netcalc train`; those of a recipe have its names, and say what its file would."""

from typing import Annotated, Literal

import typer

MaybeSpec = Annotated[
    str | None,
    typer.Argument(
        metavar="SPEC",
        help="A YAML file, - for standard input, or a bundled architecture.",
        show_default=False,
    ),
]
DataOption = Annotated[
    str, typer.Option("--data", metavar="PATH", help="The data set: a file, or a folder of files or classes.")
]
RunOption = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="FOLDER", help="The run's folder, a new one; runs/NAME unless given."
    ),
]
ResumeOption = Annotated[
    str,
    typer.Option("--resume", metavar="RUN", help="Go on with the run of a folder, or from a checkpoint."),
]
RecipeOption = Annotated[
    str, typer.Option("--recipe", metavar="FILE", help="A recipe in YAML; options go before it.")
]
EpochsOption = Annotated[
    int | None, typer.Option("--epochs", help="Passes over the training samples; 15.", show_default=False)
]
BatchSizeOption = Annotated[int | None, typer.Option("--batch", help="Samples of a step; 64.")]
LossOption = Annotated[
    str | None,
    typer.Option("--loss", metavar="NAME", help="As mse, or cross_entropy:label_smoothing=0.1."),
]
OptimiserOption = Annotated[
    str | None,
    typer.Option(
        "--optimiser",
        "--optimizer",
        metavar="NAME",
        help="As momentum, or adamw:weight_decay=0.05,beta2=0.99; adamw.",
    ),
]
RateOption = Annotated[float | None, typer.Option("--lr", help="The learning rate; the optimiser's own.")]
ScheduleOption = Annotated[
    str | None,
    typer.Option("--schedule", metavar="NAME", help="As constant, or cosine:warmup=1,final=0.01; cosine."),
]
AugmentOption = Annotated[
    str | None,
    typer.Option(
        "--augment", metavar="LIST", help="As crop:4,flip; netcalc augment shows it. none unless given."
    ),
]
ClipOption = Annotated[
    float | None, typer.Option("--clip-norm", help="The largest norm of all gradients together.")
]
AccumulateOption = Annotated[
    int | None, typer.Option("--accumulate", help="Batches whose gradients make one step; 1.")
]
AverageOption = Annotated[
    float | None,
    typer.Option("--ema", help="The decay of an average of the weights, which is evaluated and kept."),
]
WeightsOption = Annotated[
    str, typer.Option("--weights", metavar="FILE", help="Begin with the weights of a file.")
]
ReinitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--reinit",
        metavar="LAYER",
        help="A layer that is drawn anew, as a head of other classes; repeatable.",
    ),
]
FreezeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--freeze", metavar="LAYER", help="A layer or block that is not trained, as conv*; repeatable."
    ),
]
FactorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--factors",
        "--factor",
        metavar="LAYER=X",
        help="A factor of the learning rate, as conv*=0.1; repeatable.",
    ),
]
ValidationOption = Annotated[
    float | None, typer.Option("--validation", help="The share of the samples that is held back; 0.1.")
]
RunSeedOption = Annotated[
    int | None, typer.Option("--seed", help="What weights, order, augmentation and dropout begin from; 0.")
]
RunDtypeOption = Annotated[
    Literal["float32", "float64"] | None,
    typer.Option("--dtype", help="The element type that everything is computed in; float32."),
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="Threads that share a batch; a core each.")
]
PartOption = Annotated[
    Literal["train", "test"] | None,
    typer.Option("--part", help="Which part of a data set that has both; train."),
]
DataFormatOption = Annotated[
    str | None,
    typer.Option("--data-format", metavar="NAME", help="The format of a file whose bytes do not tell."),
]
SizeOption = Annotated[
    str | None,
    typer.Option("--size", metavar="SHAPE", help="The shape that samples are brought to, such as 3x64x64."),
]
ContextOption = Annotated[int | None, typer.Option("--context", help="Tokens of a sample.")]
KeepOption = Annotated[
    int | None, typer.Option("--keep", min=1, help="How many checkpoints are kept; 3.", show_default=False)
]
EveryOption = Annotated[
    str,
    typer.Option(
        "--checkpoint-every",
        metavar="WHEN",
        help="Also within epochs: after so many steps, or a time as 30s or 10min.",
    ),
]
