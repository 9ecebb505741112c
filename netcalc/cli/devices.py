"""netcalc devices: what roofline knows of devices, with sources."""

from typing import Annotated

import typer

from netcalc import __version__
from netcalc.analysis.devices import read_given_devices
from netcalc.cli.common import FormatOption, OutputOption
from netcalc.cli.output import output_of
from netcalc.render.reference.devices import device_lines, device_table, json_chunks
from netcalc.render.result import Shown


def command(
    devices: Annotated[
        str | None, typer.Option("--devices", metavar="FILE", help="A YAML table of devices of your own.")
    ] = None,
    format: FormatOption = None,
    output: OutputOption = "",
) -> None:
    """The devices that roofline knows: peak rates by element type, bandwidth, memory, sources.

    netcalc devices
    """
    to = output_of(format, output)
    known = read_given_devices(devices).values()
    to.show(
        Shown(
            lambda width: device_lines(known, width),
            lambda: json_chunks(known, __version__),
            lambda: device_table(known),
        )
    )
