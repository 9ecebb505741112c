"""netcalc show: the YAML of a bundled architecture."""

from typing import Annotated

import typer

from netcalc.cli.common import write
from netcalc.spec import find_spec


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that netcalc list shows.")],
) -> None:
    """The YAML of a bundled architecture, to start one's own from.

    netcalc show resnet18 > mine.yaml
    """
    write([find_spec(name).source.text])
