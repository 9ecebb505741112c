"""The options of `netcalc run` that no other command has."""

from typing import Annotated, Literal

import typer

TOP = 5
"""How many classes are shown unless --top says."""

FloatOption = Annotated[
    Literal["float64", "float32", "float16", "bfloat16"],
    typer.Option("--dtype", help="The element type that everything is computed in."),
]
RunInputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="WHAT",
        help="A picture, an .npy or .npz file, random, or another size: 3x64x64. "
        "name=WHAT where there are several inputs; several pictures are a batch.",
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option("--weights", metavar="FILE", help="An .npz or .safetensors file; else random."),
]
ArraysOption = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="In .npz: outputs, and gradients, as arrays. In .json, .csv, .md or .tex: what is shown.",
    ),
]
TraceOption = Annotated[bool, typer.Option("--trace", help="One line a layer: what came out, how fast.")]
BackwardOption = Annotated[bool, typer.Option("--backward", help="Backward as well: gradient norms a layer.")]
UpstreamOption = Annotated[
    str | None,
    typer.Option("--upstream", metavar="FILE", help="An .npy for --backward to start from; else ones."),
]
VerifyOption = Annotated[
    bool, typer.Option("--verify", help="Hold each layer against what is counted for it.")
]
TrainingOption = Annotated[
    bool, typer.Option("--training", help="As in training: batch statistics, dropout.")
]
ReferenceOption = Annotated[
    bool, typer.Option("--reference", help="The plain kernels, layer by layer, instead of a fast engine.")
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, max=2**63 - 1, help="What random numbers start from.")
]
RandomBatchOption = Annotated[
    int | None,
    typer.Option(
        "--batch", min=1, max=2**20, help="Samples of a random input, 1 unless given; of --features, 64."
    ),
]
LabelsOption = Annotated[
    str | None, typer.Option("--labels", metavar="FILE", help="Names of the classes, one a line.")
]
TopOption = Annotated[int, typer.Option("--top", min=1, help="How many classes are shown.")]
ResizeOption = Annotated[
    int | None,
    typer.Option("--resize", min=1, help="A picture's shorter side before the middle is cut out."),
]
MeanOption = Annotated[str, typer.Option("--mean", help="Taken from each channel: 0.485,0.456,0.406.")]
StdOption = Annotated[str, typer.Option("--std", help="Each channel is divided by: 0.229,0.224,0.225.")]
