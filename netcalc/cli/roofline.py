"""netcalc roofline: how long a network takes on a device at least."""

from typing import Annotated

import typer

from netcalc.analysis.devices import Device, PeakName, read_given_devices
from netcalc.analysis.fusion import Fusion
from netcalc.api.roofline import named_device, roofline
from netcalc.cli.common import (
    BatchOption,
    FormatOption,
    InputOption,
    OutputOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_graph,
)
from netcalc.cli.output import output_of

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
    PeakName | None,
    typer.Option("--dtype", help="What is computed in; float32 unless the device has no peak for it."),
]
FusionOption = Annotated[
    Fusion,
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
    if images and to.format == "csv":
        raise typer.BadParameter("csv has a row a kernel; json has the training.", param_hint="--images")
    chosen = _device(device, devices)
    graph = load_graph(spec, set, input, variant)
    to.show(roofline(graph, chosen, batch, dtype, fusion=fusion, images=images, epochs=epochs))


def _device(name: str, path: str | None) -> Device:
    known = read_given_devices(path)
    if name not in known and name.endswith((".yaml", ".yml")):
        hint = "a table of devices is given with --devices, and --device names one of them."
        raise typer.BadParameter(f"there is no device {name!r}; {hint}", param_hint="--device")
    return named_device(name, known)
