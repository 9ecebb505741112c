"""netcalc augment: a sheet of samples, as they are and as they are trained on."""

from typing import Annotated, Literal

import typer

from netcalc.cli.common import terminal
from netcalc.render.layout import paragraph


def command(
    data: Annotated[
        str,
        typer.Option("--data", metavar="PATH", help="The data set: a file, or a folder of files or classes."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The picture that is written, a .png file.")
    ],
    augment: Annotated[
        str,
        typer.Option(
            "--augment",
            metavar="LIST",
            help="What is done, in order: flip[:probability], crop[:padding], resized_crop[:size:least], "
            "jitter[:brightness:contrast:saturation], cutout[:size], mixup[:alpha].",
        ),
    ] = "crop:4,flip",
    samples: Annotated[
        int, typer.Option("--samples", min=1, max=256, help="How many samples are shown.")
    ] = 16,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="What the choice of samples and the changes are drawn from.")
    ] = 0,
    size: Annotated[
        str,
        typer.Option(
            "--size", metavar="SHAPE", help="The shape that pictures are brought to, such as 3x64x64."
        ),
    ] = "",
    part: Annotated[
        Literal["train", "test"] | None,
        typer.Option("--part", help="Which part of a data set that has both; train unless given."),
    ] = None,
    data_format: Annotated[
        str,
        typer.Option(
            "--data-format", metavar="NAME", help="The format of the file, where its bytes do not tell."
        ),
    ] = "",
) -> None:
    """Draw a sheet of samples: each original beside what augmentation makes of it in four epochs.

    netcalc augment --data mnist -o sheet.png
    netcalc augment --data cifar-10-batches-bin --augment flip,crop:4,cutout:16,mixup -o sheet.png
    """
    from netcalc.backend.files import by_ending, written_whole
    from netcalc.train.augmentation import parsed
    from netcalc.train.data import Reading, open_data
    from netcalc.train.sheet import EPOCHS, sample_rows, write_sheet

    by_ending(output, [".png"])
    changes = parsed(augment)
    opened = open_data(data, data_format or None, Reading(part=part, shape=_shape(size)))
    rows = sample_rows(opened, changes, samples, seed)
    with written_whole(output) as partial:
        write_sheet(rows, partial)
    ((_, field),) = opened.fields.items()
    classes = f"  ·  {len(opened.classes):,} classes" if opened.classes else ""
    out = terminal()
    out.write(paragraph(f"{data}  ·  {len(opened):,} samples of {field}{classes}", "", out.width))
    shown = f"{len(rows)} samples, as they are" if len(rows) > 1 else "1 sample, as it is"
    out.write(
        paragraph(f"{output}: {shown} and in {EPOCHS} epochs with {changes} (seed {seed})", "", out.width)
    )


def _shape(text: str) -> tuple[int, ...] | None:
    sizes = text.split("x")
    if text and not all(size.isascii() and size.isdecimal() and 0 < int(size) <= 2**16 for size in sizes):
        raise typer.BadParameter(
            f"{text!r} is no shape such as 3x64x64, of sizes up to 65536.", param_hint="--size"
        )
    return tuple(map(int, sizes)) if text else None
