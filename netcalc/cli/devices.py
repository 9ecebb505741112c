"""netcalc devices: what roofline knows of devices, with sources."""

from typing import Annotated, Literal

import typer

from netcalc import __version__
from netcalc.analysis.devices import read_devices
from netcalc.cli.common import terminal, write
from netcalc.render.reference.devices import device_lines, json_chunks


def command(
    devices: Annotated[
        str | None, typer.Option("--devices", metavar="FILE", help="A YAML table of devices of your own.")
    ] = None,
    format: Annotated[
        Literal["rich", "json"], typer.Option("--format", "-f", help="How the devices are written.")
    ] = "rich",
) -> None:
    """The devices that roofline knows: peak rates by element type, bandwidth, memory, sources.

    netcalc devices
    """
    known = read_devices(devices).values()
    if format == "json":
        write(json_chunks(known, __version__))
        return
    out = terminal()
    out.write(device_lines(known, out.width))
