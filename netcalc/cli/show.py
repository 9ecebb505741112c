"""netcalc show: the YAML of an architecture, as one file that stands alone."""

from typing import Annotated

import typer

from netcalc.cli.common import FileOption, VariantOption
from netcalc.cli.output import output_of
from netcalc.spec import find_given
from netcalc.spec.standalone import standalone_text


def command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name that netcalc list shows, or a file of one's own.")
    ],
    output: FileOption = "",
    variant: VariantOption = None,
) -> None:
    """The YAML of an architecture, to start one's own from: one file that stands alone.

    A variant's arguments are the defaults, and the blocks of other files are written in. A family's own
    name shows all its variants.

    netcalc show resnet18 -o mine.yaml
    """
    to = output_of(None, output, {}, "yaml")
    found = find_given(name)
    to.write([standalone_text(found._replace(variant=variant or found.variant))])
