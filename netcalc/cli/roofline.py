"""netcalc roofline: how long a network takes on a device at least."""

from typing import Annotated, Literal

import typer

from netcalc import __version__
from netcalc.analysis.devices import Device, read_devices
from netcalc.analysis.memory import training_peak
from netcalc.analysis.roofline import roofline
from netcalc.cli.common import (
    BatchOption,
    FormatOption,
    InputOption,
    OutputOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_graph,
    suggestion,
)
from netcalc.cli.output import output_of
from netcalc.graph import Graph
from netcalc.render.roofline.json import json_chunks
from netcalc.render.roofline.tabular import kernel_table
from netcalc.render.roofline.text import roofline_lines
from netcalc.render.roofline.words import TrainingRun

DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        "-d",
        metavar="NAME",
        help="One that netcalc devices lists, or one of --devices.",
    ),
]
PeakOption = Annotated[
    Literal["float64", "float32", "tf32", "float16", "bfloat16", "int8"] | None,
    typer.Option("--dtype", help="What is computed in; float32 unless the device has no peak for it."),
]
FusionOption = Annotated[
    Literal["none", "elementwise"],
    typer.Option(
        "--fusion",
        help="elementwise: what can be done on the way to the next product takes no bytes, the bound; "
        "none: a kernel a layer.",
    ),
]


def command(
    spec: SpecArgument,
    device: DeviceOption,
    devices: Annotated[
        str | None, typer.Option("--devices", metavar="FILE", help="A YAML table of devices of your own.")
    ] = None,
    dtype: PeakOption = None,
    fusion: FusionOption = "elementwise",
    batch: BatchOption = 1,
    epochs: Annotated[int, typer.Option("--epochs", min=1, max=10**9, help="How often all are seen.")] = 1,
    images: Annotated[
        int,
        typer.Option("--images", min=0, max=10**15, help="Samples to train on: how long that takes."),
    ] = 0,
    format: FormatOption = None,
    output: OutputOption = "",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """A lower bound of the time on a device, kernel by kernel: bound by compute or by memory.

    netcalc roofline resnet50 --device a100 --batch 64 --dtype float16
    netcalc roofline alexnet --device gtx580 --batch 128 --images 1281167 --epochs 90
    """
    to = output_of(format, output)
    if epochs != 1 and not images:
        raise typer.BadParameter("it is how often --images are seen; add --images.", param_hint="--epochs")
    if images and to.format == "csv":
        raise typer.BadParameter("csv has a row a kernel; json has the training.", param_hint="--images")
    chosen = _device(device, devices)
    computed = _dtype(chosen, dtype)
    graph = load_graph(spec, set, input, variant)
    training = None if computed == "int8" else _training(graph, chosen, batch, computed, images, epochs)
    if training is None and images:
        raise typer.BadParameter("no training is counted in int8.", param_hint="--images")
    found = roofline(graph, chosen, batch, computed, fusion)
    to.show(
        lambda width: roofline_lines(found, training, width),
        lambda: json_chunks(found, training, __version__),
        lambda: kernel_table(found, training),
    )


def _device(name: str, path: str | None) -> Device:
    known = read_devices(path)
    if name not in known:
        hint = suggestion(name, known, f"there are {', '.join(known)}.")
        if name.endswith((".yaml", ".yml")):
            hint = "a table of devices is given with --devices, and --device names one of them."
        raise typer.BadParameter(f"there is no device {name!r}; {hint}", param_hint="--device")
    return known[name]


def _dtype(device: Device, wanted: str | None) -> str:
    peaks = device.operations_per_second
    if wanted is None:
        return "float32" if "float32" in peaks else next(iter(peaks))
    if wanted not in peaks:
        message = f"no peak is known of {device.name} in {wanted}; there are {', '.join(peaks)}."
        raise typer.BadParameter(message, param_hint="--dtype")
    return wanted


def _training(graph: Graph, device: Device, batch: int, dtype: str, images: int, epochs: int) -> TrainingRun:
    return TrainingRun(images, epochs, training_peak(graph, batch, device.stored_as(dtype).name))
